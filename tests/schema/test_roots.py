"""Which files of a git repository lie below a root: those that git keeps or would keep, and those of its submodules."""

import os
import subprocess
from pathlib import Path

import pytest

from grpc_interop.schema.roots.roots import root_files


class Repository:
    """A git repository in a folder, without the machine's own configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet")

    def git(self, *words: object) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "protocol.file.allow=always")
        subprocess.run(["git", "-C", self.folder, *who, *map(str, words)], check=True, capture_output=True)

    def files(self, *names: str) -> None:
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def ignore(self, *patterns: str, file: str = ".gitignore") -> None:
        self.files(file)
        (self.folder / file).write_text("\n".join(patterns))

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", "all")

    def names(self, root: str = ".") -> list[str]:
        """What is driven of a root."""
        return list(root_files([self.folder / root]))


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's git configuration, an empty one."""
    file = tmp_path / "gitconfig"
    file.touch()
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
    return file


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.files("own/own.proto")
    return made


def test_what_git_ignores_is_not_driven(repository: Repository, own_configuration: Path, tmp_path: Path) -> None:
    """
    Wherever it is said: beside the files, above them, in the repository's own list, or in the user's.
    """
    repository.files("build/gen/x.proto", "own/out.proto", "own/gen/x.proto", "scratch/x.proto", "tmp/x.proto", "own/kept.proto")
    repository.ignore("build/", "/own/out.proto")
    repository.ignore("gen", file="own/.gitignore")
    repository.ignore("scratch", file=".git/info/exclude")
    (tmp_path / "everywhere").write_text("tmp\n")
    own_configuration.write_text(f"[core]\nexcludesFile = {tmp_path / 'everywhere'}\n")
    assert repository.names() == ["own/kept.proto", "own/own.proto"]
    assert repository.names("own") == ["kept.proto", "own.proto"]


def test_a_new_file_is_driven_before_it_is_added(repository: Repository) -> None:
    repository.commit()
    repository.files("new/new.proto")
    assert repository.names() == ["new/new.proto", "own/own.proto"]


def test_a_file_that_is_tracked_is_driven_though_it_fits_a_pattern(repository: Repository) -> None:
    repository.files("build/deep/kept.proto", "build/deep/made.proto", "build/made.proto")
    repository.git("add", "build/deep/kept.proto")
    repository.ignore("build/")
    assert repository.names() == ["build/deep/kept.proto", "own/own.proto"]


@pytest.mark.parametrize("root", ["build", "build/gen"])
def test_a_root_that_git_ignores_is_meant(repository: Repository, root: str) -> None:
    """
    Whoever names it wants just this, such as protos that a build has fetched.
    """
    repository.files("build/gen/deep/x.proto")
    repository.ignore("build/", "deep")
    assert repository.names(root) == [Path("gen/deep/x.proto").relative_to(Path(root).relative_to("build")).as_posix()]


def test_a_root_that_ignores_itself_is_meant(repository: Repository) -> None:
    """
    As folders of tools do, so that nobody adds them.
    """
    repository.files("fetched/deep/x.proto")
    repository.ignore("*", file="fetched/.gitignore")
    assert repository.names("fetched") == ["deep/x.proto"]
    assert repository.names() == ["own/own.proto"]


def test_what_lies_behind_a_link_is_meant_as_well(repository: Repository) -> None:
    """
    Unless git ignores the link.
    """
    repository.files("fetched/shop/shop.proto", "fetched/other/other.proto")
    repository.ignore("fetched/", "/own/ignored")
    (repository.folder / "own" / "shop").symlink_to("../fetched/shop")
    (repository.folder / "own" / "ignored").symlink_to("../fetched/other")
    assert repository.names("own") == ["own.proto", "shop/shop.proto"]


def test_packages_that_npm_and_pip_installed_are_not_driven(repository: Repository, tmp_path: Path) -> None:
    """
    In a repository that forgot to ignore them, and outside of any; a folder of packages that is named is meant.
    """
    repository.files("node_modules/a/a.proto", "web/node_modules/b/b.proto", "env/pyvenv.cfg", "env/lib/c.proto", "venv/mine.proto")
    assert repository.names() == ["own/own.proto", "venv/mine.proto"]
    assert repository.names("node_modules/a") == ["a.proto"]
    assert repository.names("env") == ["lib/c.proto"]
    (repository.folder / ".git").rename(tmp_path / "away")
    assert repository.names() == ["own/own.proto", "venv/mine.proto"]


def test_submodules_are_driven_as_they_are_checked_out(repository: Repository, tmp_path: Path) -> None:
    """
    Also one within another, each by what it ignores itself.
    """
    inner, outer = Repository(tmp_path / "inner"), Repository(tmp_path / "outer")
    inner.files("inner.proto")
    inner.commit()
    outer.files("outer.proto")
    outer.git("submodule", "--quiet", "add", inner.folder, "deep/inner")
    outer.ignore("made")
    outer.commit()
    repository.git("submodule", "--quiet", "add", outer.folder, "third/outer")
    repository.git("submodule", "--quiet", "update", "--init", "--recursive")
    repository.files("third/outer/made/m.proto", "third/outer/new.proto", "made/m.proto")
    assert repository.names() == [
        "made/m.proto",
        "own/own.proto",
        "third/outer/deep/inner/inner.proto",
        "third/outer/new.proto",
        "third/outer/outer.proto",
    ]
    assert repository.names("third/outer/deep") == ["inner/inner.proto"]


def test_a_clone_that_is_no_submodule_and_a_work_tree_are_not_driven(repository: Repository) -> None:
    """
    git does not look into them, either; a root in one is meant.
    """
    repository.commit()
    Repository(repository.folder / "clones" / "one").files("one.proto")
    repository.git("worktree", "add", "--quiet", "trees/feature")
    assert repository.names() == ["own/own.proto"]
    assert repository.names("clones/one") == ["one.proto"]
    assert repository.names("trees/feature") == ["own/own.proto"]


def test_clones_side_by_side_are_driven_where_no_repository_is_around(tmp_path: Path) -> None:
    for name in "ab":
        clone = Repository(tmp_path / "all" / name)
        clone.files(f"{name}.proto", "made/m.proto")
        clone.ignore("made")
    assert list(root_files([tmp_path / "all"])) == ["a/a.proto", "b/b.proto"]


def test_within_a_hook_the_root_says_which_repository_is_asked(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    git names the hook's own in the environment.
    """
    Repository(tmp_path / "other")
    repository.files("made/m.proto")
    repository.ignore("made")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert repository.names() == ["own/own.proto"]


def test_without_git_everything_else_is_driven(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repository.files("made/m.proto", ".hidden/h.proto")
    repository.ignore("made")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repository.names() == ["made/m.proto", "own/own.proto"]
