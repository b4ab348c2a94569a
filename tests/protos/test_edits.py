"""What an edit touches, seen from a git ref."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.protos.catalog import Catalog
from grpc_interop.protos.edits import Touched, since
from grpc_interop.protos.history import folders_at
from grpc_interop.protos.root import Root

TREE = """
message In { Deep deep = 1; } message Deep { Kind kind = 1; } enum Kind { ZERO = 0; }
message Out { string text = 1; } message Alone { int32 number = 1; }
service S { rpc First(In) returns (Out); rpc Second(Out) returns (stream Out); }
"""
Edit = Callable[[str], Touched]


def git(folder: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    return subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True, env=env).stdout


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'syntax = "proto3";\npackage t;\n{text}')


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, of TREE in protos/a.proto."""
    folder = tmp_path / "repository"
    write(folder / "protos" / "a.proto", TREE)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


@pytest.fixture
def edit(repository: Path, tmp_path: Path) -> Edit:
    """Gives the file another text; says what that touches."""

    def change(text: str) -> Touched:
        write(repository / "protos" / "a.proto", text)
        return touched(repository, tmp_path)

    return change


def touched(repository: Path, tmp_path: Path, ref: str = "HEAD", root: str = "protos") -> Touched:
    roots, cache = [Root(repository / root)], tmp_path / "cache"
    return since(ref, Catalog.load(roots, [], cache), roots, [], cache)


def names(found: Touched) -> tuple[set[str], set[str]]:
    return {method.name for method in found.methods}, set(found.messages)


class TestTouched:
    def test_nothing(self, edit: Edit) -> None:
        """
        A comment and another order of definitions touch nothing.
        """
        lines = TREE.strip().splitlines()
        assert names(edit("// A comment.\n" + "\n".join(reversed(lines)))) == (set(), set())

    def test_a_field_far_down(self, edit: Edit) -> None:
        """
        Whatever reaches the changed type is touched: messages that hold it, RPCs that take them, and nothing else.
        """
        found = edit(TREE.replace("ZERO = 0;", "ZERO = 0; ONE = 1;"))
        assert names(found) == ({"First"}, {"t.In", "t.Deep"})

    def test_a_method(self, edit: Edit) -> None:
        """
        An RPC that becomes a stream is touched, its messages are not.
        """
        assert names(edit(TREE.replace("First(In)", "First(stream In)"))) == ({"First"}, set())

    def test_what_is_new(self, edit: Edit) -> None:
        """
        New RPCs and messages are touched; that others are gone touches nobody.
        """
        found = edit(TREE.replace("rpc First(In) returns (Out);", "rpc Third(New) returns (New);") + "message New {}")
        assert names(found) == ({"Third"}, {"t.New"})

    def test_an_option_that_generators_use(self, edit: Edit) -> None:
        """
        Another go_package is other code for everything in the file.
        """
        methods, messages = names(edit('option go_package = "example.com/x";' + TREE))
        assert methods == {"First", "Second"}
        assert "t.Alone" in messages

    def test_a_root_that_was_not_there(self, repository: Path, tmp_path: Path) -> None:
        """
        Everything in it is new.
        """
        write(repository / "more" / "b.proto", "message B {}")
        assert names(touched(repository, tmp_path, root="more")) == (set(), {"t.B"})


class TestHistory:
    def test_the_work_tree_is_left_alone(self, repository: Path) -> None:
        """
        Neither files nor index nor refs change, and nothing stays behind.
        """
        write(repository / "protos" / "a.proto", "message Edited {}")
        write(repository / "protos" / "new.proto", "message New {}")
        before = git(repository, "status", "--porcelain"), git(repository, "for-each-ref"), git(repository, "worktree", "list")
        with folders_at("HEAD", [repository / "protos"]) as then:
            folder = then[repository / "protos"]
            assert TREE in (folder / "a.proto").read_text()
            assert [path.name for path in folder.iterdir()] == ["a.proto"]
        assert not folder.exists()
        assert before == (git(repository, "status", "--porcelain"), git(repository, "for-each-ref"), git(repository, "worktree", "list"))

    def test_attributes_leave_nothing_out(self, repository: Path) -> None:
        """
        What an archive for a release would leave out is part of the tree.
        """
        (repository / ".gitattributes").write_text("protos export-ignore\n")
        git(repository, "add", ".")
        git(repository, "commit", "-qm", "two")
        with folders_at("HEAD", [repository]) as then:
            assert (then[repository] / "protos" / "a.proto").is_file()

    def test_a_hooks_environment_does_not_matter(self, repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        Within a git hook of another repository, the protos' own is meant.
        """
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
        with folders_at("HEAD", [repository / "protos"]) as then:
            assert (then[repository / "protos"] / "a.proto").is_file()

    @pytest.mark.parametrize(("ref", "fetch"), [("nowhere", "git fetch origin nowhere"), ("origin/main", "git fetch origin main")])
    def test_a_ref_that_is_none(self, repository: Path, ref: str, fetch: str) -> None:
        """
        The error says how to get it.
        """
        with pytest.raises(UsageError, match=f"{ref} is no commit") as raised, folders_at(ref, [repository]):
            pass
        assert fetch in raised.value.remedy
        assert "--unshallow" in raised.value.remedy

    @pytest.mark.parametrize("ref", ["HEAD~9", "bd3593c87b", "main@{1 year ago}"])
    def test_what_no_remote_can_be_asked_for(self, repository: Path, ref: str) -> None:
        """
        A way from another commit and the digits of one are no names to fetch by.
        """
        with pytest.raises(UsageError, match="is no commit") as raised, folders_at(ref, [repository]):
            pass
        assert raised.value.remedy == "a shallow clone lacks older commits: `git fetch --unshallow` gets them (in CI: fetch-depth: 0)"

    def test_a_folder_outside_any_repository(self, tmp_path: Path) -> None:
        """
        The error names it.
        """
        with pytest.raises(UsageError, match="has no history"), folders_at("HEAD", [tmp_path]):
            pass

    def test_protos_that_did_not_compile_then(self, repository: Path, tmp_path: Path) -> None:
        """
        The error says that it was at the ref, and has protoc's words.
        """
        git(repository, "commit", "-qm", "two", "--allow-empty")
        (repository / "protos" / "a.proto").write_text("this is no proto")
        git(repository, "commit", "-qam", "three")
        write(repository / "protos" / "a.proto", TREE)
        with pytest.raises(UsageError, match=r"(?s)at HEAD cannot be compared with: .*HEAD:\S*/protos/a\.proto:1:1: Expected"):
            touched(repository, tmp_path)
