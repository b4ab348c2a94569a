"""The layout of a repository that nobody has described, and what buf's files say of one."""

import subprocess
from pathlib import Path

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.roots import buf_config
from grpc_interop.schema.roots.layout import Layout, RootGroup, find_layout, group_roots
from grpc_interop.schema.roots.root import read_root
from grpc_interop.schema.roots.roots import root_files


def write(repository: Path, files: dict[str, str]) -> None:
    """Files by their paths."""
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def proto(package: str = "", *imports: str) -> str:
    lines = ['syntax = "proto3";', f"package {package};" if package else "", *(f'import "{name}";' for name in imports)]
    return "\n".join(lines)


def root_names(repository: Path, layout: Layout) -> list[str]:
    """What a run of the layout drives."""
    return list(root_files([read_root(root, repository) for root in layout.roots], layout.excludes))


def where(layout: Layout) -> tuple[list[str], list[str], list[str]]:
    return layout.roots, layout.includes, layout.excludes


class TestFoundByContent:
    def test_a_package_whose_folders_are_its_name_begins_at_the_root(self, tmp_path: Path) -> None:
        write(tmp_path, {"api/acme/shop/v1/shop.proto": proto("acme.shop.v1")})
        assert where(find_layout(tmp_path)) == (["api"], [], [])

    def test_an_import_says_what_a_file_is_relative_to(self, tmp_path: Path) -> None:
        """Also where packages say nothing."""
        write(tmp_path, {"src/main/proto/a/x.proto": proto("p", "b/y.proto"), "src/main/proto/b/y.proto": proto("q", "a/x.proto")})
        assert where(find_layout(tmp_path)) == (["src/main/proto"], [], [])

    def test_an_import_means_the_nearest_of_several_files(self, tmp_path: Path) -> None:
        files = {f"{team}/{name}": text for team in "ab" for name, text in {"x.proto": proto("", "y.proto"), "y.proto": proto()}.items()}
        write(tmp_path, files)
        assert find_layout(tmp_path).roots == ["a", "b"]

    def test_a_comment_is_no_import(self, tmp_path: Path) -> None:
        write(tmp_path, {"x.proto": '// import "gone.proto";\n/* package p.q;\nimport "gone.proto"; */\n' + proto("p")})
        layout = find_layout(tmp_path)
        assert layout.roots == ["."]
        assert not any("gone" in sentence for sentence in layout.notes)

    def test_other_peoples_protos_are_only_imported_from(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            {
                "proto/shop/v1/shop.proto": proto("shop.v1", "lib/v1/lib.proto"),
                "third_party/lib/v1/lib.proto": proto("lib.v1"),
            },
        )
        assert where(find_layout(tmp_path)) == (["proto"], ["third_party"], [])

    def test_imports_may_be_in_either_quotes_and_in_pieces(self, tmp_path: Path) -> None:
        write(tmp_path, {"src/common/c.proto": proto("x"), "src/svc/s.proto": "import 'common/' /* and */ \"c.proto\" ;\n" + proto("y")})
        assert where(find_layout(tmp_path)) == (["src"], [], [])

    def test_roots_within_each_other_share_the_files(self, tmp_path: Path) -> None:
        """
        A file has the name by which others import it; one that no one imports goes with the innermost root.
        """
        write(
            tmp_path,
            {
                "proto/common/c.proto": proto("common"),
                "proto/a/own.proto": proto("a", "common/c.proto"),
                "proto/a/svc.proto": proto("a", "own.proto"),
            },
        )
        assert where(find_layout(tmp_path)) == (["proto", "proto/a"], [], ["a/*"])

    def test_files_of_one_folder_may_belong_to_two_roots(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            {
                "proto/a/y.proto": proto("a"),
                "proto/a/x.proto": proto("a", "y.proto"),
                "proto/b/z.proto": proto("b", "a/x.proto"),
            },
        )
        assert where(find_layout(tmp_path)) == (["proto", "proto/a"], [], ["a/y.proto", "x.proto"])

    @pytest.mark.parametrize(("prefix", "folder"), [("etcd", "."), ("github.com/acme/repo", "."), ("acme", "src")])
    def test_imports_may_begin_with_a_prefix(self, tmp_path: Path, prefix: str, folder: str) -> None:
        """
        Mostly the repository's own name or path.
        """
        kv = f"{prefix}/api/kv/kv.proto"
        write(tmp_path, {f"{folder}/api/kv/kv.proto": proto("kv"), f"{folder}/api/rpc.proto": proto("rpc", kv)})
        assert where(find_layout(tmp_path)) == ([f"{prefix}={folder}"], [], [])
        assert where(find_layout(tmp_path, prefixes=False))[0] != [f"{prefix}={folder}"]

    def test_a_common_import_has_no_prefix(self, tmp_path: Path) -> None:
        write(tmp_path, {"p/status.proto": proto("p"), "p/x.proto": proto("p", "google/rpc/status.proto")})
        assert where(find_layout(tmp_path)) == (["."], [], [])

    def test_other_peoples_protos_are_not_driven_by_the_repositorys_names_either(self, tmp_path: Path) -> None:
        """
        As Bazel spells imports.
        """
        write(tmp_path, {"third_party/lib/lib.proto": proto("lib"), "own/x.proto": proto("own", "third_party/lib/lib.proto")})
        assert where(find_layout(tmp_path)) == (["."], [], ["third_party/*"])

    def test_other_peoples_protos_do_not_go_with_the_repositorys_root(self, tmp_path: Path) -> None:
        """
        What no one imports may be imported tomorrow, by its own name.
        """
        files = {"own/x.proto": proto("own", "own/y.proto"), "own/y.proto": proto("own"), "third_party/lib/v1/lib.proto": proto("lib.v1")}
        write(tmp_path, files)
        assert where(find_layout(tmp_path)) == (["."], ["third_party"], ["third_party/*"])

    @pytest.mark.parametrize("copy", ["dist/shop/shop.proto", "docs/shop.proto", "web/public/proto/shop.proto"])
    def test_copies_are_left_out(self, tmp_path: Path, copy: str) -> None:
        write(tmp_path, {"shop/shop.proto": proto("shop"), copy: proto("shop"), "dist/own/own.proto": proto("dist.own")})
        layout = find_layout(tmp_path)
        assert root_names(tmp_path, layout) == ["dist/own/own.proto", "shop/shop.proto"]
        assert any("copies" in sentence for sentence in layout.notes)

    def test_files_of_one_name_that_are_no_copies_are_kept(self, tmp_path: Path) -> None:
        """
        Without a package, two files of one name may be anything.
        """
        service = "service S { rpc Do(M) returns (M); } message M {}"
        write(tmp_path, {"src/api.proto": proto(), "docs/api.proto": proto() + service})
        assert not any("copies" in sentence for sentence in find_layout(tmp_path).notes)

    def test_roots_that_hold_one_name_go_into_runs_of_their_own(self, tmp_path: Path) -> None:
        files = {f"{team}/{name}": proto(team, *more) for team in "ab" for name, more in {"x.proto": ["y.proto"], "y.proto": []}.items()}
        write(tmp_path, {**files, "c/z.proto": proto("", "w.proto"), "c/w.proto": proto()})
        layout = find_layout(tmp_path)
        assert layout.roots == ["a", "b", "c"]
        assert group_roots(tmp_path, layout) == [RootGroup(["a", "c"], []), RootGroup(["b"], [])]

    def test_runs_of_their_own_import_from_the_roots_of_others(self, tmp_path: Path) -> None:
        files = {
            f"{team}/{name}": proto(team, *more)
            for team in "ab"
            for name, more in {"x.proto": ["y.proto"], "y.proto": ["s/s.proto"]}.items()
        }
        write(tmp_path, {**files, "lib/s/s.proto": proto("s", "t/t.proto"), "more/t/t.proto": proto("t"), "vendor/v/v.proto": proto("v")})
        layout = find_layout(tmp_path)
        assert group_roots(tmp_path, layout) == [RootGroup(["a", "lib", "more"], ["vendor"]), RootGroup(["b"], ["vendor", "lib", "more"])]

    def test_copies_do_not_keep_roots_apart(self, tmp_path: Path) -> None:
        files = {
            f"{side}/{name}": proto(name[0], *more)
            for side in ("client", "server")
            for name, more in {"x.proto": ["y.proto"], "y.proto": []}.items()
        }
        write(tmp_path, files)
        layout = find_layout(tmp_path)
        assert group_roots(tmp_path, layout) == [RootGroup(["client", "server"], [])]
        assert root_names(tmp_path, layout) == ["x.proto", "y.proto"]

    @pytest.mark.parametrize("roots", [["proto", "ext"], ["ext", "proto"]])
    def test_a_link_from_one_root_into_another_is_the_same_file(self, tmp_path: Path, roots: list[str]) -> None:
        write(tmp_path, {"ext/s/s.proto": proto("s"), "proto/o/o.proto": proto("o", "s/s.proto")})
        (tmp_path / "proto/s").symlink_to("../ext/s")
        catalog = Catalog.load([tmp_path / root for root in roots], [], tmp_path / "cache")
        assert list(catalog.files) == ["o/o.proto", "s/s.proto"]

    @pytest.mark.parametrize("name", ["../b/b.proto", "/b/b.proto"])
    def test_an_import_that_no_root_can_hold_is_none_with_a_prefix(self, tmp_path: Path, name: str) -> None:
        write(tmp_path, {"a/a.proto": proto("a", name), "b/b.proto": proto("b")})
        layout = find_layout(tmp_path)
        assert layout.roots == ["."]
        assert any(f"imports {name}, which is not here" in sentence for sentence in layout.notes)

    def test_folders_that_are_called_like_a_pattern_are_meant_as_they_are(self, tmp_path: Path) -> None:
        inner = {"p/x[1]/a.proto": proto("a", "c.proto"), "p/x[1]/c.proto": proto("c")}
        write(tmp_path, {**inner, "p/t.proto": proto("t", "u/u.proto"), "p/u/u.proto": proto("u")})
        assert root_names(tmp_path, find_layout(tmp_path)) == ["a.proto", "c.proto", "t.proto", "u/u.proto"]

    def test_what_git_ignores_is_left_out(self, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        write(tmp_path, {".gitignore": "build/", "p/x.proto": proto("p"), "build/q/x.proto": proto("q"), ".hidden/r/x.proto": proto("r")})
        assert find_layout(tmp_path).roots == ["."]

    def test_an_import_that_is_nowhere_is_told(self, tmp_path: Path) -> None:
        write(tmp_path, {"p/x.proto": proto("p", "else/where.proto", "google/protobuf/any.proto", "google/rpc/status.proto")})
        assert [sentence for sentence in find_layout(tmp_path).notes if "not here" in sentence] == [
            "p/x.proto imports else/where.proto, which is not here: add its folder to `includes`"
        ]

    def test_no_proto_is_no_root(self, tmp_path: Path) -> None:
        assert find_layout(tmp_path).roots == []


class TestSaidByBuf:
    @pytest.mark.parametrize(
        ("files", "expected"),
        [
            ({"buf.yaml": "version: v2\n"}, (["."], [], [])),
            (
                {"buf.yaml": "version: v2\nmodules:\n  - path: proto\n    excludes: [proto/bad, proto/one.proto]\n  - path: more\n"},
                (["proto", "more"], [], ["bad/*", "one.proto"]),
            ),
            (
                {"buf.yaml": "version: v2\nmodules:\n  - path: proto\n    includes: [proto/a, proto/b/c]\n    excludes: [proto/a/x]\n"},
                (["a=proto/a", "b/c=proto/b/c"], [], ["a/x/*"]),
            ),
            (
                {"buf.yaml": "version: v2\nmodules: [{path: p, includes: [p/a]}, {path: p, excludes: [p/a, p/b]}]\n"},
                (["p"], [], ["b/*"]),
            ),
            ({"buf.yaml": "version: v2\nmodules: [{path: p}, {path: p, excludes: [p/a]}]\n"}, (["p"], [], [])),
            (
                {
                    "svc/a/buf.yaml": "version: v2\nmodules: [{path: proto}]\n",
                    "svc/a/proto/a/x.proto": proto("a"),
                    "x/b/c.proto": proto("b"),
                },
                (["svc/a/proto", "x"], [], []),
            ),
            (
                {"svc/a/buf.yaml": "version: v2\n", "svc/a/a/x.proto": proto("a"), "b/c.proto": proto("b")},
                (["svc/a", "."], [], ["svc/a/*"]),
            ),
            (
                {
                    "api/buf.work.yaml": "version: v1\ndirectories: [one, two]\n",
                    "api/one/a/x.proto": proto("a"),
                    "api/two/buf.yaml": "version: v1\n",
                },
                (["api/one", "api/two"], [], []),
            ),
            ({"buf.yaml": "version: v1\nbuild:\n  excludes:\n  - vendor\n"}, (["."], [], ["vendor/*"])),
            ({"proto/buf.yaml": "version: v1\n", "proto/p/x.proto": proto("p")}, (["proto"], [], [])),
            ({"buf.yaml": "version: v1beta1\nbuild: {roots: [a, b]}\n"}, (["a", "b"], [], [])),
            (
                {"buf.work.yaml": "version: v1\ndirectories:\n- a\n- b/c\n", "a/buf.yaml": "version: v1\nbuild:\n  excludes: [x/y]\n"},
                (["a", "b/c"], [], ["x/y/*"]),
            ),
        ],
    )
    def test_modules_are_roots(self, tmp_path: Path, files: dict[str, str], expected: tuple[list[str], ...]) -> None:
        write(tmp_path, files)
        layout = buf_config.read_layout(tmp_path)
        assert layout is not None
        assert where(layout) == expected

    def test_a_module_of_the_registry_is_told(self, tmp_path: Path) -> None:
        """The common google protos need no word: they are found by themselves."""
        write(tmp_path, {"buf.yaml": "version: v2\ndeps:\n- buf.build/googleapis/googleapis\n- buf.build/acme/x:v1\n"})
        layout = buf_config.read_layout(tmp_path)
        assert layout is not None
        [_, sentence] = layout.notes
        assert sentence.startswith("buf.build/acme/x:v1: ")
        assert layout.buf

    def test_a_module_of_the_registry_further_down_is_told_with_an_image(self, tmp_path: Path) -> None:
        """buf builds what lies in the project's folder."""
        write(tmp_path, {"s/buf.yaml": "version: v2\ndeps: [buf.build/acme/x]\n", "s/p/x.proto": proto("p")})
        layout = buf_config.read_layout(tmp_path)
        assert layout is not None
        assert "--image" in layout.notes[-1]
        assert not layout.buf

    def test_no_file_says_nothing(self, tmp_path: Path) -> None:
        assert buf_config.read_layout(tmp_path) is None

    @pytest.mark.parametrize(
        "content",
        ["a: [", "- a\n", "version: v2\nmodules: proto\n", "version: v2\nmodules: [proto]\n", "deps: x\n", "build: [a]\n"],
    )
    def test_a_file_that_is_none_is_refused(self, tmp_path: Path, content: str) -> None:
        write(tmp_path, {"buf.yaml": content})
        with pytest.raises(UsageError, match=r"buf\.yaml"):
            buf_config.read_layout(tmp_path)
