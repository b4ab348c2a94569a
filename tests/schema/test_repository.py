"""What refs name, in which repository, and how to get those that are not here."""

import os
import subprocess
from pathlib import Path

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.schema.git.repository import Repository, UnknownRefError, commit_of, holders, repository_around


def git(folder: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "protocol.file.allow=always"]
    return subprocess.run(["git", "-C", folder, *settings, *words], check=True, capture_output=True, text=True, env=env).stdout.strip()


def made(folder: Path) -> Repository:
    """One commit, on main."""
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    git(folder, "commit", "-qm", "one", "--allow-empty")
    return repository_around(folder)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return made(tmp_path / "repository")


def remedy(repository: Repository, ref: str) -> str:
    with pytest.raises(UnknownRefError, match="is not a commit") as raised:
        commit_of(repository, ref, "--base")
    return raised.value.remedy


@pytest.mark.parametrize(
    ("ref", "fetch", "then"),
    [
        ("nowhere", "git fetch origin nowhere:refs/remotes/origin/nowhere", "--base origin/nowhere"),
        ("origin/main", "git fetch origin main:refs/remotes/origin/main", "--base origin/main"),
        ("fix/this", "git fetch origin fix/this:refs/remotes/origin/fix/this", "--base origin/fix/this"),
        ("refs/heads/old~2", "git fetch origin old:refs/remotes/origin/old", "--base origin/old~2"),
        ("v1.2.0", "git fetch origin tag v1.2.0", ""),
    ],
)
def test_what_is_not_here_is_fetched_under_a_name_that_can_be_given(repository: Repository, ref: str, fetch: str, then: str) -> None:
    told = remedy(repository, ref)
    assert f"`{fetch}`" in told
    assert then in told
    assert "--unshallow" in told


@pytest.mark.parametrize(
    ("ref", "instead"), [("old", "origin/old"), ("refs/heads/old", "origin/old"), ("heads/old", "origin/old"), ("old~0", "origin/old~0")]
)
def test_a_branch_that_only_the_remote_has_is_told(repository: Repository, tmp_path: Path, ref: str, instead: str) -> None:
    """
    As in a checkout of CI: nothing is to be fetched, and the name of the remote's copy is all that it takes.
    """
    git(repository.top, "branch", "old")
    git(tmp_path, "clone", "-q", str(repository.top), "clone")
    clone = repository_around(tmp_path / "clone")
    told = remedy(clone, ref)
    assert told.endswith(f"--base {instead}")
    assert commit_of(clone, instead, "--base")


@pytest.mark.parametrize("ref", ["HEAD~9", "bd3593c87b", "old@{1 year ago}"])
def test_what_no_remote_can_be_asked_for(repository: Repository, ref: str) -> None:
    """
    A way from another commit and the digits of one are no names to fetch by.
    """
    assert remedy(repository, ref) == "a shallow clone lacks older commits: `git fetch --unshallow` gets them (in CI: fetch-depth: 0)"


def test_a_remote_may_be_called_otherwise(repository: Repository) -> None:
    git(repository.top, "remote", "add", "upstream", "../nowhere")
    assert "git fetch upstream topic/x:" in remedy(repository, "topic/x")
    assert "git fetch upstream topic/x:" in remedy(repository, "upstream/topic/x")


def test_a_folder_outside_any_repository_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path} has no history"):
        repository_around(tmp_path)


def test_a_hooks_environment_does_not_matter(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    Within a git hook of another repository, the one around the folder is meant.
    """
    other = made(tmp_path / "other")
    git(other.top, "commit", "-qm", "two", "--allow-empty")
    monkeypatch.setenv("GIT_DIR", str(other.git_dir))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.top))
    assert repository_around(repository.top) == repository
    assert commit_of(repository, "main", "--base") == git(repository.top, "rev-parse", "main")


def test_what_holds_a_submodule(repository: Repository, tmp_path: Path) -> None:
    """
    From the inside outwards; a clone that merely lies in another repository is held by nobody.
    """
    made(tmp_path / "inner")
    git(repository.top, "submodule", "--quiet", "add", str(tmp_path / "inner"), "deep/inner")
    git(tmp_path, "clone", "-q", str(tmp_path / "inner"), "repository/clone")
    inside = repository_around(repository.top / "deep/inner")
    assert [one.top for one in holders(inside)] == [repository.top / "deep/inner", repository.top]
    assert [one.top for one in holders(repository_around(repository.top / "clone"))] == [repository.top / "clone"]
