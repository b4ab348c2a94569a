"""How a root is spelled, and which names its files have: with a prefix, and where roots lie within each other."""

from pathlib import Path

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.roots.root import Folder, Root, read_root
from grpc_interop.schema.roots.roots import ProtoError, root_files


class Tree:
    """Files by their paths; `load` compiles roots of them."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def proto(self, name: str, package: str, *imports: str, body: str = "") -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(['syntax = "proto3";', f"package {package};", *(f'import "{name}";' for name in imports), body]))

    def roots(self, *spellings: str) -> list[Folder]:
        return [read_root(spelling, self.place) for spelling in spellings]

    def load(self, *spellings: str, includes: tuple[str, ...] = (), excludes: tuple[str, ...] = ()) -> Catalog:
        return Catalog.load(self.roots(*spellings), self.roots(*includes), self.place / "cache", excludes)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A repository whose files call each other by the repository's own name."""
    made = Tree(tmp_path)
    made.proto("api/kv/kv.proto", "kv", body="message KV { bytes key = 1; }")
    made.proto("api/rpc.proto", "rpc", "etcd/api/kv/kv.proto", body="service S { rpc Do(kv.KV) returns (kv.KV); }")
    return made


class TestSpelled:
    @pytest.mark.parametrize(
        ("spelling", "prefix", "folder"),
        [
            ("protos", "", "protos"),
            ("etcd=.", "etcd", "."),
            ("github.com/acme/repo=api/protos", "github.com/acme/repo", "api/protos"),
            ("./a//b/=x", "a/b", "x"),
            ("a=b", "", "a=b"),
            ("x=a=b", "x", "a=b"),
            ("=a=c", "", "a=c"),
        ],
    )
    def test_what_a_spelling_means(self, tmp_path: Path, spelling: str, prefix: str, folder: str) -> None:
        """
        A folder that is there is meant as such, whatever its name; in all others the first = ends the prefix, as with protoc.
        """
        (tmp_path / "a=b").mkdir()
        assert read_root(spelling, tmp_path) == Root(tmp_path / folder, prefix)

    @pytest.mark.parametrize("root", [Root(Path("/x/y")), Root(Path("/x"), "p/q"), Root(Path("/x=y")), Root(Path("/x=y"), "p")])
    def test_what_is_spelled_is_read_again(self, root: Root) -> None:
        assert read_root(root.spelled(), Path("/elsewhere")) == root

    @pytest.mark.parametrize("spelling", ["etcd=", "/abs=.", "../up=.", "a/../b=.", "a\\b=.", "a\n=."])
    def test_a_prefix_that_no_import_begins_with_is_refused(self, tmp_path: Path, spelling: str) -> None:
        with pytest.raises(UsageError, match="="):
            read_root(spelling, tmp_path)


class TestPrefix:
    def test_files_are_imported_by_names_that_begin_with_it(self, tree: Tree) -> None:
        catalog = tree.load("etcd=.")
        assert catalog.files == ("etcd/api/kv/kv.proto", "etcd/api/rpc.proto")
        assert [method.path for method in catalog.methods()] == ["/rpc.S/Do"]

    def test_an_include_has_one_as_well(self, tree: Tree) -> None:
        tree.proto("user/user.proto", "user", "etcd/api/kv/kv.proto", body="service U { rpc Do(kv.KV) returns (kv.KV); }")
        assert tree.load("user", includes=("etcd=.",)).files == ("user.proto",)

    def test_patterns_of_excludes_match_the_whole_name(self, tree: Tree) -> None:
        tree.proto("bad/bad.proto", "bad", body="message")
        assert tree.load("etcd=.", excludes=("etcd/bad/*",)).files == ("etcd/api/kv/kv.proto", "etcd/api/rpc.proto")
        with pytest.raises(ProtoError, match="bad"):
            tree.load("etcd=.", excludes=("bad/*",))

    def test_what_was_compiled_without_is_not_taken_from_the_cache(self, tree: Tree) -> None:
        tree.proto("own/own.proto", "own", body="message Own {}")
        assert tree.load("own").files == ("own.proto",)
        assert tree.load("p=own").file_protos[0].name == "p/own.proto"

    def test_a_file_that_lacks_it_is_told_with_the_option(self, tree: Tree) -> None:
        with pytest.raises(ProtoError) as raised:
            tree.load(".")
        assert f"would be etcd/api/kv/kv.proto with --proto-path etcd={tree.place} in place of {tree.place}" in raised.value.remedy

    def test_a_path_with_an_equals_sign_is_no_prefix(self, tree: Tree) -> None:
        """
        To protoc it would be one.
        """
        tree.proto("x=own/own.proto", "own", body="message Own {}")
        assert tree.load("x=own").files == ("own.proto",)


class TestWithinEachOther:
    """`proto/a` is a root of its own, of which `proto` does without."""

    @pytest.fixture
    def nested(self, tmp_path: Path) -> Tree:
        made = Tree(tmp_path)
        made.proto("proto/common/c.proto", "common", body="message C { int32 n = 1; } service T { rpc Do(C) returns (C); }")
        made.proto("proto/a/own.proto", "a", "common/c.proto", body="message Own { common.C c = 1; }")
        made.proto("proto/a/s.proto", "a", "own.proto", body="service S { rpc Do(Own) returns (Own); }")
        return made

    @pytest.mark.parametrize("roots", [("proto", "proto/a"), ("proto/a", "proto")])
    def test_each_file_has_the_name_of_one_root(self, nested: Tree, roots: tuple[str, ...]) -> None:
        catalog = nested.load(*roots, excludes=("a/*",))
        assert catalog.files == ("common/c.proto", "own.proto", "s.proto")
        assert [method.path for method in catalog.methods()] == ["/common.T/Do", "/a.S/Do"]

    def test_a_file_of_two_names_is_refused(self, nested: Tree) -> None:
        with pytest.raises(ProtoError, match=r"proto/a lies within .*proto, so .*would have two names: .*own\.proto") as raised:
            nested.load("proto", "proto/a")
        assert 'excludes = ["a/*"]' in raised.value.remedy

    def test_one_folder_with_two_prefixes_is_refused(self, nested: Tree) -> None:
        with pytest.raises(ProtoError, match=r"two names: .*q/own\.proto"):
            nested.load("p=proto/a", "q=proto/a", includes=("proto",))

    def test_a_root_given_twice_is_one_root(self, nested: Tree) -> None:
        """
        Options are added by scripts, and nothing is ambiguous.
        """
        assert list(root_files(nested.roots("proto", "./proto", "proto/../proto"))) == ["a/own.proto", "a/s.proto", "common/c.proto"]


def test_a_file_is_no_root(tree: Tree) -> None:
    for wrong in (("api/rpc.proto",), ("etcd=api/rpc.proto",)):
        with pytest.raises(ProtoError, match=r"rpc\.proto: a file, not a folder"):
            tree.load(*wrong)
    with pytest.raises(ProtoError, match=r"rpc\.proto: a file, not a folder"):
        tree.load("api", includes=("api/rpc.proto",))
