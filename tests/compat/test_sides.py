"""What the sides of a comparison may be, and what is said of those that cannot be had."""

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from grpc_interop.compat.sides import Sources, read_base, read_head
from grpc_interop.compat.unlisted import comparable
from grpc_interop.compat.version_pair import VersionPair
from grpc_interop.errors import UsageError
from repository import Repository

OLD, NEW, NEWER = (f"message Said {{ {type_} what = 1; }}" for type_ in ("int64", "int32", "bytes"))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """One commit, on main, of OLD in protos/a.proto."""
    made = Repository(tmp_path / "repository")
    made.proto("protos/a.proto", OLD)
    made.commit()
    monkeypatch.chdir(made.folder)
    return made


def type_of(sources: Sources, message: str = "t.Said") -> str:
    names = descriptor_pb2.FieldDescriptorProto.Type
    return names.Name(sources.catalog.message(message).fields_by_name["what"].type)


class TestHead:
    def test_is_the_working_tree_with_what_is_not_committed(self, repository: Repository) -> None:
        repository.proto("protos/a.proto", NEW)
        head = read_head(None, repository.options())
        assert (type_of(head), head.side) == ("TYPE_INT32", ("head", "working tree"))
        assert str(head.location("a.proto", 3)) == "protos/a.proto:3"

    def test_may_be_a_ref(self, repository: Repository) -> None:
        repository.proto("protos/a.proto", NEW)
        assert type_of(read_head("main", repository.options())) == "TYPE_INT64"


class TestRefs:
    def test_of_a_branch_the_commit_counts_where_head_left_it(self, repository: Repository) -> None:
        """
        What others have merged since is no change of this branch.
        """
        left = repository.git("rev-parse", "HEAD")
        repository.git("checkout", "-qb", "mine")
        repository.commit()
        repository.git("checkout", "-q", "main")
        repository.proto("protos/a.proto", NEWER)
        repository.commit()
        repository.git("checkout", "-q", "mine")
        base = read_base("main", "base", repository.options(), None)
        assert (type_of(base), base.side.words) == ("TYPE_INT64", f"main, merge base {left[:10]}")

    def test_a_tag_or_a_commit_is_what_was_deployed(self, repository: Repository) -> None:
        """
        Also where it lies beside the way that head took.
        """
        repository.git("checkout", "-qb", "release")
        repository.proto("protos/a.proto", NEWER)
        commit = repository.commit()
        repository.git("tag", "v1")
        repository.git("checkout", "-q", "main")
        assert {type_of(read_base(ref, "base", repository.options(), None)) for ref in ("v1", commit, commit[:9])} == {"TYPE_BYTES"}

    def test_the_base_of_a_ref_is_where_that_ref_left_it(self, repository: Repository) -> None:
        repository.git("checkout", "-qb", "mine")
        repository.proto("protos/a.proto", NEW)
        repository.commit()
        repository.git("checkout", "-q", "main")
        repository.proto("protos/a.proto", NEWER)
        repository.commit()
        assert type_of(read_base("main", "base", repository.options(), "mine")) == "TYPE_INT64"

    def test_reading_leaves_the_working_tree_alone(self, repository: Repository) -> None:
        repository.proto("protos/a.proto", NEW)
        options = repository.options()
        read_base("main", "base", options, None)
        assert repository.git("status", "--porcelain", "--untracked-files=no") == "M protos/a.proto"

    def test_that_do_not_exist(self, repository: Repository) -> None:
        with pytest.raises(UsageError, match="v9 is not a commit") as raised:
            read_base("v9", "base", repository.options(), None)
        assert "git fetch" in raised.value.remedy

    def test_a_shallow_clone_says_how_to_get_the_rest(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository.git("checkout", "-qb", "mine")
        repository.commit()
        repository.git("checkout", "-q", "main")
        repository.commit("two")
        clone = tmp_path / "clone"
        repository.git("clone", "-q", "--depth", "1", "--no-single-branch", f"file://{repository.folder}", str(clone))
        repository.git("-C", str(clone), "checkout", "-q", "mine")
        monkeypatch.chdir(clone)
        with pytest.raises(UsageError, match="have in common") as raised:
            read_base("origin/main", "base", repository.options(), None)
        assert "git fetch --unshallow" in raised.value.remedy


class TestRootsThatMoved:
    def test_are_where_the_projects_file_said_then(self, repository: Repository) -> None:
        repository.git("mv", "protos", "api")
        repository.write("interop.toml", '[protos]\nroots = ["api"]\n')
        repository.proto("api/a.proto", NEW)
        base = read_base("HEAD", "base", repository.options(), None)
        assert type_of(base) == "TYPE_INT64"
        assert str(base.location("a.proto", 3)) == "protos/a.proto:3"

    def test_are_found_by_their_files_where_nothing_said_so(self, repository: Repository) -> None:
        repository.git("mv", "protos", "api")
        repository.proto("api/a.proto", NEW)
        base = read_base("HEAD", "base", repository.options(roots=["api"]), None)
        assert type_of(base) == "TYPE_INT64"

    def test_a_root_that_is_new_is_none_of_the_base(self, repository: Repository) -> None:
        repository.proto("more/b.proto", "message Other {}")
        base = read_base("HEAD", "base", repository.options(roots=["protos", "more"]), None)
        assert base.catalog.files == ("a.proto",)

    def test_a_base_without_any_is_told_with_what_was_looked_for(self, repository: Repository) -> None:
        repository.proto("more/b.proto", "message Other {}")
        with pytest.raises(UsageError, match=r"the base \(HEAD, .*\) has no protos in more"):
            read_base("HEAD", "base", repository.options(roots=["more"]), None)


class TestImports:
    @pytest.fixture
    def importing(self, repository: Repository) -> Repository:
        """The working tree imports b.proto, which lies in includes/ and was added just now."""
        repository.proto("includes/b.proto", "message B {}")
        repository.proto("protos/a.proto", f'import "b.proto";\n{NEW}')
        return repository

    def test_that_only_head_has_do_no_harm(self, importing: Repository) -> None:
        options = importing.options(includes=["includes"])
        assert type_of(read_base("HEAD", "base", options, None)) == "TYPE_INT64"
        assert type_of(read_head(None, options)) == "TYPE_INT32"

    def test_that_nobody_has_any_more_are_named_with_the_side(self, importing: Repository) -> None:
        importing.commit()
        importing.git("rm", "-q", "includes/b.proto")
        importing.proto("protos/a.proto", OLD)
        importing.commit()
        with pytest.raises(UsageError, match=r"the base \(HEAD~1, .*\) cannot be used: (?s:.*)b\.proto") as raised:
            read_base("HEAD~1", "base", importing.options(), None)
        assert "tmp/interop-" not in str(raised.value)


class TestOtherSides:
    def test_a_folder_is_the_root_itself(self, repository: Repository, tmp_path: Path) -> None:
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "a.proto").write_text(f'syntax = "proto3"; package t; {NEWER}')
        assert type_of(read_base("../old", "base", repository.options(), None)) == "TYPE_BYTES"

    def test_a_folder_around_the_root_is_told_which_one_is_meant(self, repository: Repository) -> None:
        repository.proto("old/protos/u/b.proto", "message B {}")
        repository.proto("old/protos/u/a.proto", 'import "u/b.proto"; message A { B b = 1; }')
        with pytest.raises(UsageError, match=r"the base \(old\) cannot be used") as raised:
            read_base("old", "base", repository.options(), None)
        assert raised.value.remedy == "a folder is itself the root: is old/protos meant?"

    def test_a_folder_without_protos_does_not_hide_a_branch(self, repository: Repository) -> None:
        (repository.folder / "main").mkdir()
        assert "merge base" in read_base("main", "base", repository.options(), None).side.words

    def test_a_folder_without_protos_is_told_as_one(self, repository: Repository) -> None:
        (repository.folder / "old").mkdir()
        with pytest.raises(UsageError, match=r"old: no \.proto file lies here or below, and no branch, tag or commit"):
            read_base("old", "base", repository.options(), None)

    def test_what_is_neither_is_told_so(self, repository: Repository) -> None:
        """
        What is written like a path cannot be fetched.
        """
        with pytest.raises(UsageError, match=r"old is not a commit .*; nor is there a folder or a descriptor set of that name"):
            read_base("old", "base", repository.options(), None)
        with pytest.raises(UsageError, match=r"\.\./old: there is no such folder or descriptor set$"):
            read_base("../old", "base", repository.options(), None)

    def test_a_descriptor_set(self, repository: Repository, tmp_path: Path) -> None:
        image = tmp_path / "old.binpb"
        image.write_bytes(read_head(None, repository.options()).catalog.descriptor_set())
        base = read_base(str(image), "base", repository.options(), None)
        assert (type_of(base), base.location("a.proto", 3).path) == ("TYPE_INT64", "")

    def test_a_descriptor_set_with_source_info_knows_the_lines(self, repository: Repository, tmp_path: Path) -> None:
        image = tmp_path / "old.binpb"
        words = ["-I", "protos", "--include_source_info", f"--descriptor_set_out={image}", "a.proto"]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *words], check=True)
        repository.proto("protos/a.proto", NEW)
        versions = VersionPair(read_base(str(image), "base", repository.options(), None), read_head(None, repository.options()))
        (change,) = versions.changes.changes
        assert [str(change.base), str(change.head)] == ["a.proto:3", "a.proto:3"]

    def test_a_file_that_is_no_descriptor_set_is_told_with_the_side(self, repository: Repository) -> None:
        with pytest.raises(UsageError, match=r"the base \(interop.toml\) cannot be read: .*is not a descriptor set"):
            read_base("interop.toml", "base", repository.options(), None)

    @pytest.mark.parametrize("spoiled", ["base", "head"])
    def test_a_side_that_does_not_compile_is_named_with_protocs_words(self, repository: Repository, spoiled: str) -> None:
        """
        And with the place where the file lies, or lay.
        """
        repository.write("protos/a.proto", "no proto at all")
        repository.commit()
        if spoiled == "base":
            with pytest.raises(UsageError, match=r"the base \(HEAD, .*\) cannot be used: (?s:.*)protos/a\.proto:1:1: Expected") as raised:
                read_base("HEAD", "base", repository.options(), None)
            assert "interop-history" not in str(raised.value)
        else:
            with pytest.raises(UsageError, match=r"the head \(working tree\) cannot be used: (?s:.*)a\.proto:1:1: Expected"):
                read_head(None, repository.options())


def test_without_git_folders_are_compared_all_the_same(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Only a ref needs it.
    """
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.proto").write_text(f'syntax = "proto3"; package t; {NEWER}')
    monkeypatch.setenv("PATH", str(tmp_path))
    (base,), head = comparable([read_base("../old", "base", repository.options(), None)], read_head(None, repository.options()))
    assert (type_of(base), type_of(head)) == ("TYPE_BYTES", "TYPE_INT64")
    with pytest.raises(UsageError, match="git is not installed"):
        read_base("main", "base", repository.options(), None)


def test_a_root_above_the_projects_folder_is_told_as_it_is_spelled(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    On both sides: that is where people find it.
    """
    repository.write("apps/one/interop.toml", '[protos]\nroots = ["../../protos"]\n')
    repository.commit()
    repository.proto("protos/a.proto", NEW)
    monkeypatch.chdir(repository.folder / "apps/one")
    base, head = read_base("HEAD", "base", repository.options(), None), read_head(None, repository.options())
    assert (type_of(base), type_of(head)) == ("TYPE_INT64", "TYPE_INT32")
    assert str(base.location("a.proto", 3)) == str(head.location("a.proto", 3)) == "../../protos/a.proto:3"
