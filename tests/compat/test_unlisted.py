"""Files that one side does not list: what it has all the same is compared, and only what it has not is gone or new."""

import subprocess
import sys
from pathlib import Path

import pytest

from grpc_interop.compat.sides import read_base, read_head
from grpc_interop.compat.unlisted import comparable
from grpc_interop.compat.version_pair import VersionPair
from repository import Repository

LEGACY = "message L { int64 n = 1; }\nservice Old { rpc Do(L) returns (L); }"


class Project(Repository):
    """Two roots, `protos` and `more`; LEGACY is in the latter, and another file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.configure()
        self.proto("protos/own.proto", "message Own {}\nservice S { rpc Do(Own) returns (Own); }")
        self.proto("more/legacy/l.proto", LEGACY)
        self.proto("more/kept.proto", "message Kept {}")
        self.commit()

    def configure(self, roots: str = '"protos", "more"', includes: str = "", excludes: str = "") -> None:
        self.write("interop.toml", f"[protos]\nroots = [{roots}]\nincludes = [{includes}]\nexcludes = [{excludes}]\n")

    def image(self, *words: str) -> str:
        command = [sys.executable, "-m", "grpc_tools.protoc", "--include_imports", "--descriptor_set_out=image.binpb", *words]
        subprocess.run(command, check=True, cwd=self.folder)
        return "image.binpb"

    def versions(self, base: str = "HEAD", head: str | None = None) -> VersionPair:
        options = self.options()
        (old,), new = comparable([read_base(base, "base", options, head)], read_head(head, options))
        return VersionPair(old, new)

    def changes(self, base: str = "HEAD", head: str | None = None) -> dict[str, str]:
        """What was done to each element that matters."""
        return {one.element: one.edit.value for one in self.versions(base, head).changes.changes if one.matters}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    return made


UNLISTED = {
    "excluded": {"excludes": '"legacy/*"'},
    "only imported": {"roots": '"protos"', "includes": '"more"'},
    "no root": {"roots": '"protos"'},
}


@pytest.mark.parametrize("how", UNLISTED)
class TestOfTheWorkingTree:
    @pytest.fixture(autouse=True)
    def unlisted(self, project: Project, how: str) -> None:
        project.configure(**UNLISTED[how])

    def test_what_is_there_as_before_has_not_changed(self, project: Project) -> None:
        """
        Neither against the commit that lists it nor the other way round; and it is told.
        """
        assert project.versions().changes.changes == ()
        (told,) = project.versions().head.warnings
        assert "legacy/l.proto: tested in base (HEAD, merge base" in told
        then = project.git("rev-parse", "HEAD")
        now = project.commit()
        assert project.versions(now, then).changes.changes == ()
        assert len(project.versions(now, then).base.warnings) == 1

    def test_what_breaks_in_it_is_seen(self, project: Project) -> None:
        project.proto("more/legacy/l.proto", LEGACY.replace("int64", "int32"))
        assert project.changes() == {"t.L.n": "changed"}

    def test_what_is_gone_from_it_is_gone(self, project: Project) -> None:
        project.proto("more/legacy/l.proto", "message L { int64 n = 1; }")
        assert project.changes() == {"t.Old/Do": "removed"}

    def test_a_file_that_is_gone_is_gone(self, project: Project) -> None:
        project.git("rm", "-q", "more/legacy/l.proto")
        assert project.changes() == {"t.Old/Do": "removed"}

    def test_a_file_that_does_not_compile_is_as_good_as_gone(self, project: Project) -> None:
        project.write("more/legacy/l.proto", "no proto")
        assert project.changes() == {"t.Old/Do": "removed"}

    def test_what_neither_side_lists_is_no_matter(self, project: Project) -> None:
        project.commit()
        project.proto("more/legacy/l.proto", LEGACY.replace("int64", "int32"))
        assert project.changes() == {}


class TestOfTheBase:
    def test_what_was_broken_and_is_listed_now_is_new(self, project: Project) -> None:
        project.configure(excludes='"legacy/*"')
        project.write("more/legacy/l.proto", "no proto")
        project.commit()
        project.configure()
        project.proto("more/legacy/l.proto", LEGACY)
        assert project.changes() == {"t.Old/Do": "added"}

    def test_each_base_is_looked_at_for_itself(self, project: Project) -> None:
        """
        What one of them lists and another lacks.
        """
        project.git("tag", "v1")
        project.git("rm", "-q", "more/legacy/l.proto")
        project.configure('"protos"')
        project.commit()
        project.git("tag", "v2")
        project.proto("more/legacy/l.proto", LEGACY)
        options = project.options()
        bases, head = comparable([read_base(ref, "base", options, None) for ref in ("v1", "v2")], read_head(None, options))
        found = [{one.element: one.edit.value for one in VersionPair(base, head).changes.changes if one.matters} for base in bases]
        assert found == [{}, {"t.Old/Do": "added"}]


class TestOfAnImage:
    @pytest.fixture
    def importing(self, project: Project) -> Project:
        """An own file imports LEGACY, which is tested nowhere."""
        project.proto("protos/own.proto", 'import "legacy/l.proto";\nmessage Own { L l = 1; }\nservice S { rpc Do(Own) returns (Own); }')
        project.configure('"protos"', includes='"more"')
        return project

    @pytest.mark.parametrize("sides", [("image.binpb", None), ("HEAD", "image.binpb")])
    def test_that_marks_no_imports(self, importing: Project, sides: tuple[str, str | None]) -> None:
        """
        As protoc makes it: on either side, what the tree only imports is there in both.
        """
        importing.image("-Iprotos", "-Imore", "own.proto")
        importing.commit()
        assert importing.versions(*sides).changes.changes == ()
        importing.proto("more/legacy/l.proto", "message L { int64 n = 1; }")
        importing.commit()
        assert importing.changes(*sides) == {"t.Old/Do": "removed" if sides[1] is None else "added"}

    def test_that_holds_more_modules_than_the_tree_lists(self, project: Project) -> None:
        """
        As `buf build` of a workspace: what nobody imports lies in an include.
        """
        project.image("-Iprotos", "-Imore", "own.proto", "legacy/l.proto", "kept.proto")
        project.configure('"protos"', includes='"more"')
        assert project.versions("image.binpb").changes.changes == ()

    def test_of_which_two_are_compared(self, importing: Project) -> None:
        importing.image("-Iprotos", "-Imore", "own.proto")
        (importing.folder / "image.binpb").rename(importing.folder / "old.binpb")
        importing.image("-Iprotos", "-Imore", "own.proto", "legacy/l.proto")
        assert importing.versions("old.binpb", "image.binpb").changes.changes == ()


def test_a_service_that_moves_to_what_is_only_imported_is_compared(project: Project) -> None:
    """
    Under another file's name, and its own file is gone.
    """
    project.git("mv", "more/legacy/l.proto", "more/moved.proto")
    project.proto("protos/own.proto", 'import "moved.proto";\nmessage Own { L l = 1; }\nservice S { rpc Do(Own) returns (Own); }')
    project.configure('"protos"', includes='"more"')
    assert project.changes() == {"t.Own.l": "added"}


def test_the_folder_of_another_version_holds_nothing_of_this_one(project: Project, tmp_path: Path) -> None:
    """
    A base that is a folder is no place to look for what head lacks.
    """
    project.git("worktree", "add", "-q", str(tmp_path / "old"))
    project.git("rm", "-q", "more/legacy/l.proto")
    project.configure('"protos"')
    assert project.changes("../old/more")["t.Old/Do"] == "removed"
