"""Which project a command runs in, and how its options are handed on."""

import dataclasses
from pathlib import Path

import click
import pytest

from grpc_interop.commands.options import CHOICE, TREE, with_options
from grpc_interop.config import Options, as_arguments, find_project, in_continuous_integration
from grpc_interop.schema.roots.root import Root
from project import REPOSITORY, MakeImplementation, Project

INTEROP_TOML = 'implementations = ["py"]\nsuites = ["calls"]\nseed = 7\n[protos]\nroots = ["protos"]\nincludes = ["vendor"]\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and the current folder."""
    (tmp_path / "interop.toml").write_text(INTEROP_TOML)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def options_of(words: list[str]) -> Options:
    """What `interop run` makes of a command line."""
    found: list[Options] = []

    @click.command()
    @with_options(TREE, CHOICE)
    @click.option("--strict", is_flag=True)
    def command(options: Options, **_: object) -> None:
        found.append(options)

    command.main(words, standalone_mode=False)
    return found[0]


def test_the_nearest_project_upwards(folder: Path) -> None:
    """
    A command works in any folder below its project; paths in `interop.toml` are relative to that file.
    """
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    project = find_project(below)
    assert project.folder == folder
    assert (project.roots, project.includes) == ((Root(folder / "protos"),), (Root(folder / "vendor"),))
    assert [manifest.name for manifest in project.implementations] == ["py"]
    assert (project.suites, project.seed) == (("calls",), 7)


def test_a_manifest_is_no_project(folder: Path) -> None:
    """
    Within an implementation's folder the project is still the one around it.
    """
    (folder / "mine").mkdir()
    (folder / "mine" / "interop.toml").write_text('name = "mine"\n[run]\ndriver = ["x"]\n')
    assert find_project(folder / "mine").folder == folder


def test_without_a_project(tmp_path: Path) -> None:
    """
    Without an `interop.toml` the current folder is the project, with the bundled implementations.
    """
    project = find_project(tmp_path)
    assert project.folder == tmp_path and project.roots == ()
    assert {"go", "py"} <= {manifest.name for manifest in project.implementations}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--proto-path", "other", "--proto-path", "protos", "--include", "more"],
        ["--proto-path", "acme.org/repo=other", "--proto-path", "a=b", "--include", "more=a=b", "--include", "=not=there"],
        ["--suite", "greeter", "--suite", "calls", "-k", "a and b", "--seed", "3", "--count", "5"],
        ["--image", "image.binpb"],
        ["--implementation", "other", "--client", "other", "--server", "py"],
    ],
)
def test_options_are_handed_on_whole(folder: Path, words: list[str]) -> None:
    """
    The words that a run hands to its workers, and a plan to its jobs, give them the same options.
    """
    (folder / "other").mkdir()
    (folder / "a=b").mkdir()
    (folder / "other" / "interop.toml").write_text('name = "other"\n[run]\ndriver = ["x"]\n')
    options = options_of(words)
    assert options_of(as_arguments(options)) == options
    jobs = options_of(as_arguments(options, relative_to=folder))
    assert resolved(jobs) == resolved(options)


def resolved(options: Options) -> Options:
    """With its paths in one form."""
    roots, includes = (tuple(root.resolved() for root in roots) for roots in (options.roots, options.includes))
    return dataclasses.replace(options, roots=roots, includes=includes, image=options.image and options.image.resolve())


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("TRUE", True), ("false", False), ("", False), ("0", False)])
def test_continuous_integration(folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    """
    CI=true makes a run strict.
    """
    monkeypatch.setenv("CI", value)
    assert in_continuous_integration() is expected
    assert options_of([]).strict is expected


def test_everything_made_lies_in_the_state_folder(project: Project, tmp_path: Path) -> None:
    """
    A run leaves `.interop/` in the project's folder and nothing else, and keeps that out of the user's git.
    """
    (tmp_path / "interop.toml").write_text(f'implementations = ["py"]\n[protos]\nroots = ["{REPOSITORY / "proto"}"]\n')
    assert project.interop("run", "-k", "SayHello/one", cwd=tmp_path).status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".interop", "interop.toml"]
    assert (tmp_path / ".interop" / ".gitignore").read_text().endswith("\n*\n")


def test_a_folder_is_found_from_where_it_is_named(project: Project, reference: MakeImplementation, tmp_path: Path) -> None:
    """
    --implementation is relative to the current folder.
    """
    reference("mine")
    ended = project.interop("list", "--implementation", "mine", "--proto-path", REPOSITORY / "proto", "--client", "mine", cwd=tmp_path)
    assert ended.status == 0 and "[mine:" in ended.out
