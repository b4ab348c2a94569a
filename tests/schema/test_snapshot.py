"""What a repository held at a commit, as git's objects say it."""

import os
import subprocess
from pathlib import Path

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.schema.git.repository import repository_around
from grpc_interop.schema.git.snapshot import PathKind, Snapshot


def git(folder: Path, *words: str, given: str = "") -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    done = subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True, input=given, env=env)
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with protos/a.proto, a note and links, in one commit; what is in the work tree differs from it."""
    made = tmp_path / "repository"
    (made / "protos").mkdir(parents=True)
    git(made, "init", "-q")
    (made / "protos/a.proto").write_text("then")
    (made / "protos/note.txt").write_text("a note")
    (made / ".gitattributes").write_text("protos export-ignore\n")
    for name, target in (("to", "protos"), ("up", ".."), ("itself", "itself"), ("deep", "to/../to/a.proto"), ("gone", "nowhere")):
        (made / name).symlink_to(target)
    git(made, "add", ".")
    git(made, "commit", "-qm", "one")
    (made / "protos/a.proto").write_text("now")
    return made


@pytest.fixture
def snapshot(folder: Path) -> Snapshot:
    return Snapshot(repository_around(folder), "HEAD")


@pytest.mark.parametrize(
    ("path", "kind", "leads"),
    [
        ("protos", PathKind.FOLDER, "protos"),
        ("to/a.proto", PathKind.FILE, "protos/a.proto"),
        ("deep", PathKind.FILE, "protos/a.proto"),
        ("protos/../to", PathKind.FOLDER, "protos"),
        ("../repository/protos", PathKind.FOLDER, "protos"),
        ("up/repository/protos/a.proto", PathKind.FILE, "protos/a.proto"),
        ("itself", PathKind.NOTHING, "itself"),
        ("gone", PathKind.NOTHING, "nowhere"),
        ("protos/a.proto/x", PathKind.NOTHING, "protos/a.proto/x"),
        ("up", PathKind.OUTSIDE, ".."),
        ("../elsewhere/x", PathKind.OUTSIDE, "../elsewhere/x"),
    ],
)
def test_a_path_leads_where_it_led_then(snapshot: Snapshot, folder: Path, path: str, kind: PathKind, leads: str) -> None:
    assert snapshot.find(folder / path) == (kind, Path(os.path.normpath(folder / leads)))


def test_protos_are_written_as_they_were_and_nothing_else(snapshot: Snapshot, folder: Path, tmp_path: Path) -> None:
    """
    Also what an archive for a release would leave out.
    """
    assert snapshot.read(folder / "deep") == b"then"
    snapshot.write([folder], tmp_path / "place")
    assert (tmp_path / "place/protos/a.proto").read_text() == (tmp_path / "place/to/a.proto").read_text() == "then"
    assert not (tmp_path / "place/protos/note.txt").exists()
    assert {path for path, found in snapshot.unfollowed.items() if found.kind is PathKind.OUTSIDE} == {folder / "up"}


def test_a_tree_that_leads_out_of_its_folder_writes_nothing(folder: Path, tmp_path: Path) -> None:
    """
    As only a stranger's tool would make it.
    """
    blob = git(folder, "hash-object", "-w", "protos/a.proto")
    inner = git(folder, "mktree", given=f"100644 blob {blob}\tx.proto\n")
    tree = git(folder, "mktree", given=f"040000 tree {inner}\t..\n")
    commit = git(folder, "commit-tree", tree, "-m", "x")
    with pytest.raises(UsageError, match="leads out of it"):
        Snapshot(repository_around(folder), commit)
