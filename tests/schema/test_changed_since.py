"""What an edit touches, seen from a git ref."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.changed_since import ChangedElements, changed_since
from grpc_interop.schema.git.repository import repository_around
from grpc_interop.schema.git.snapshot import Snapshot
from grpc_interop.schema.protos_at_commit import ProtosAtCommit
from grpc_interop.schema.roots.root import Root
from grpc_interop.schema.roots.roots import Tree

TREE = """
message In { Deep deep = 1; } message Deep { Kind kind = 1; } enum Kind { ZERO = 0; }
message Out { string text = 1; } message Alone { int32 number = 1; }
service S { rpc First(In) returns (Out); rpc Second(Out) returns (stream Out); }
"""
Edit = Callable[[str], ChangedElements]


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

    def change(text: str) -> ChangedElements:
        write(repository / "protos" / "a.proto", text)
        return changed(repository, tmp_path)

    return change


def changed(repository: Path, tmp_path: Path, ref: str = "HEAD", root: str = "protos") -> ChangedElements:
    tree, cache = Tree((Root(repository / root),)), tmp_path / "cache"
    snapshot = Snapshot(repository_around(repository), ref)
    return changed_since(ProtosAtCommit(snapshot, tree, repository, None, ref), Catalog.load(tree.roots, [], cache), cache)


def names(found: ChangedElements) -> tuple[set[str], set[str]]:
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
        assert names(changed(repository, tmp_path, root="more")) == (set(), {"t.B"})

    def test_protos_that_did_not_compile_then(self, repository: Path, tmp_path: Path) -> None:
        """
        The error says when, and has protoc's words.
        """
        (repository / "protos" / "a.proto").write_text("this is no proto")
        git(repository, "commit", "-qam", "two")
        write(repository / "protos" / "a.proto", TREE)
        with pytest.raises(UsageError, match=r"(?s)the protos of HEAD cannot be compared: .*/protos/a\.proto:1:1: Expected") as raised:
            changed(repository, tmp_path)
        assert "interop-history" not in str(raised.value)
