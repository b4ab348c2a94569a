"""`interop init` writes what `interop run` can use at once."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from grpc_interop.config import find_project
from grpc_interop.errors import UsageError
from grpc_interop.protos.root import Root
from grpc_interop.starting import init

SHOP = 'syntax = "proto3"; package shop.v1; message Order {} service Shop { rpc Place(Order) returns (Order); }'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "api/shop/v1").mkdir(parents=True)
    (tmp_path / "api/shop/v1/shop.proto").write_text(SHOP)
    return tmp_path


def test_what_is_written_is_read_again(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = find_project(repository)
    assert init(repository, before.implementations) == 0

    project = find_project(repository)
    assert project.folder == repository
    assert project.roots == (Root(repository / "api"),)
    assert project.implementations == before.implementations
    assert "1 file, 1 RPC, 1 message. Next: interop run" in capsys.readouterr().out


def test_every_commented_line_can_be_taken_as_it_is(repository: Path) -> None:
    """Whoever removes the mark before a key gets a file that is read."""
    init(repository, find_project(repository).implementations)
    path = repository / "interop.toml"
    lines = [line.removeprefix("# ") if " = " in line or "[[" in line else line for line in path.read_text().splitlines()]
    tomllib.loads("\n".join(lines))
    settings = [
        line for line in lines if not line.startswith(("[[implementation]]", "settings.", "name =", "from =")) or line == "[protos]"
    ]
    for name in ("known_failures.toml", "path"):
        (repository / name).touch()
    path.write_text("\n".join(settings))

    assert find_project(repository).known_failures == (repository / "known_failures.toml",)


def test_a_file_that_is_there_is_kept(repository: Path) -> None:
    path = repository / "interop.toml"
    path.write_text("# mine")
    with pytest.raises(UsageError, match="is there already"):
        init(repository, ())
    assert path.read_text() == "# mine"


def test_a_folder_without_protos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder with \.proto files"):
        init(tmp_path, ())
    assert not (tmp_path / "interop.toml").exists()


def test_protos_that_do_not_compile_are_told_with_protocs_words(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "api/shop/v1/bad.proto").write_text('syntax = "proto3"; package shop.v1; message')
    assert init(repository, ()) == 1
    assert "bad.proto" in capsys.readouterr().err
