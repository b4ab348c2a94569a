"""`interop init` writes what `interop run` can use at once."""

import os
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from grpc_interop.commands.init import init
from grpc_interop.config import find_project
from grpc_interop.errors import UsageError
from grpc_interop.schema.roots.root import Root

Write = Callable[..., None]
Captured = pytest.CaptureFixture[str]

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


class TestNothingIsLeftOutInSilence:
    """RPCs that a run would not play are named, with status 1, unless somebody has said that they need not be."""

    @pytest.fixture
    def write(self, tmp_path: Path) -> Write:
        def writes(name: str, text: str) -> None:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

        return writes

    def service(self, package: str) -> str:
        return f'syntax = "proto3"; package {package}; message M {{}} service S {{ rpc Do(M) returns (M); }}'

    def test_services_of_a_root_within_another_are_driven(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        write("proto/common/c.proto", 'syntax = "proto3"; package common; message C {}')
        write("proto/a/own.proto", 'syntax = "proto3"; package a; import "common/c.proto"; message Own { common.C c = 1; }')
        write("proto/a/s.proto", 'syntax = "proto3"; package a; import "own.proto"; service S { rpc Do(Own) returns (Own); }')
        assert init(tmp_path, ()) == 0
        assert "3 files, 1 RPC, 2 messages" in capsys.readouterr().out

    def test_trees_with_files_of_one_name_are_told_with_a_command_each(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        for team in "ab":
            write(f"services/{team}/proto/common.proto", f'syntax = "proto3"; package {team}; message C {{}}')
            write(f"services/{team}/proto/service.proto", self.service(f"{team}.s") + 'import "common.proto";')
        assert init(tmp_path, ()) == 1
        said = capsys.readouterr()
        for team in "ab":
            command = f"interop run --proto-path services/{team}/proto"
            assert f"2 files, 1 RPC, 2 messages in services/{team}/proto. Next: {command}" in said.out
            assert command in (tmp_path / "interop.toml").read_text()
        assert "cannot be part of one run" in said.err

    def test_each_such_command_finds_what_the_trees_share(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        write("libs/shared/x.proto", 'syntax = "proto3"; package shared; message X {}')
        for team in "ab":
            write(
                f"{team}/proto/common.proto", f'syntax = "proto3"; package {team}; import "shared/x.proto"; message C {{ shared.X x = 1; }}'
            )
            write(f"{team}/proto/service.proto", self.service(f"{team}.s") + 'import "common.proto";')
        assert init(tmp_path, ()) == 1
        assert "2 files, 1 RPC, 2 messages in b/proto. Next: interop run --proto-path b/proto --include libs" in capsys.readouterr().out

    def test_a_file_that_is_imported_by_two_names_is_tested_by_each(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        """As in https://github.com/golang/protobuf/issues/1122."""
        write("p/a/x.proto", self.service("x"))
        write("p/b.proto", 'syntax = "proto3"; package b; import "a/x.proto"; service S { rpc Do(x.M) returns (x.M); }')
        write("p/a/c.proto", 'syntax = "proto3"; package c; import "x.proto"; service S { rpc Do(x.M) returns (x.M); }')
        assert init(tmp_path, ()) == 1
        said = capsys.readouterr()
        assert "1 RPC, 0 messages in p. Next: interop run --proto-path p\n" in said.out
        assert "2 RPCs, 1 message in p/a. Next: interop run --proto-path p/a\n" in said.out
        assert "cannot be part of one run" in said.err

    def test_files_of_one_name_that_no_one_imports_go_below_one_root(self, write: Write, tmp_path: Path) -> None:
        """They may have any name, so all are part of one run."""
        for team in ("one", "two"):
            write(f"services/{team}/main.proto", self.service(f"of.{team}"))
        assert init(tmp_path, ()) == 0
        assert find_project(tmp_path).roots == (Root(tmp_path / "services"),)

    def test_other_peoples_services_are_named(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        write("vendor/x/x.proto", self.service("x"))
        write("proto/own/own.proto", self.service("own") + 'import "x/x.proto";')
        assert init(tmp_path, ()) == 0
        assert "only imported from, without its RPCs (x.S/Do)" in capsys.readouterr().out

    def test_no_rpc_at_all_is_no_success_where_there_are_some(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        """Be they other people's, or left out by buf.yaml."""
        write("vendor/x/x.proto", self.service("x"))
        write("proto/own/own.proto", 'syntax = "proto3"; package own; import "x/x.proto"; message M { x.M m = 1; }')
        assert init(tmp_path, ()) == 1
        assert "1 RPC would not be tested: x.S/Do, of vendor/x/x.proto" in capsys.readouterr().err

    def test_what_buf_yaml_leaves_out_is_meant(self, write: Write, tmp_path: Path) -> None:
        write("proto/own/own.proto", self.service("own"))
        write("more/x/x.proto", self.service("x"))
        write("buf.yaml", "version: v2\nmodules: [{path: proto}]\n")
        assert init(tmp_path, ()) == 0

    def test_what_a_buf_yaml_further_down_leaves_out_is_meant(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        """Unlike what lies beside it."""
        write("proto/own/own.proto", self.service("own"))
        write("proto/more/x.proto", self.service("more"))
        write("proto/buf.yaml", "version: v1\nbuild: {excludes: [more]}\n")
        assert init(tmp_path, ()) == 0
        (tmp_path / "interop.toml").unlink()
        write("beside/x.proto", self.service("beside"))
        assert init(tmp_path, ()) == 0
        assert "2 files, 2 RPCs" in capsys.readouterr().out

    def test_a_copy_with_more_rpcs_is_no_copy_to_be_left_out(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        write("proto/own/own.proto", self.service("own"))
        write("dist/own/own.proto", self.service("own") + "service T { rpc More(M) returns (M); }")
        assert init(tmp_path, ()) == 1
        assert "own.T/More, of dist/own/own.proto" in capsys.readouterr().err

    def test_a_prefix_is_taken_where_the_protos_compile_with_it(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        write("api/kv/kv.proto", 'syntax = "proto3"; package kv; message KV {}')
        write("api/s.proto", 'syntax = "proto3"; package s; import "etcd/api/kv/kv.proto"; service S { rpc Do(kv.KV) returns (kv.KV); }')
        assert init(tmp_path, ()) == 0
        assert find_project(tmp_path).roots == (Root(tmp_path, "etcd"),)

    def test_a_prefix_that_does_not_help_is_not_taken(self, write: Write, tmp_path: Path) -> None:
        """The missing file only has the name of another."""
        write("api/own/validate.proto", 'syntax = "proto3"; package own; message Rules {}')
        write("api/own/s.proto", 'syntax = "proto3"; package own; import "buf/validate.proto"; message M { buf.Rules r = 1; }')
        assert init(tmp_path, ()) == 1
        assert find_project(tmp_path).roots == (Root(tmp_path / "api"),)

    def test_a_submodule_is_found_and_told(self, write: Write, tmp_path: Path, capsys: Captured) -> None:
        write("protos/shop/shop.proto", self.service("shop"))
        (tmp_path / "app").mkdir()
        for folder, *words in (
            ("protos", "init"),
            ("protos", "add", "."),
            ("protos", "commit", "-m", "one"),
            ("app", "init"),
            ("app", "submodule", "add", tmp_path / "protos", "backend"),
        ):
            who = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "protocol.file.allow=always"]
            subprocess.run(["git", *who, *words], cwd=tmp_path / folder, check=True, capture_output=True)
        assert init(tmp_path / "app", ()) == 0
        assert "backend is a git submodule" in capsys.readouterr().out
        assert find_project(tmp_path / "app").roots == (Root(tmp_path / "app" / "backend"),)

        write("app/own/own.proto", self.service("own"))
        subprocess.run(["git", "submodule", "deinit", "--force", "backend"], cwd=tmp_path / "app", check=True, capture_output=True)
        (tmp_path / "app" / "interop.toml").unlink()
        assert init(tmp_path / "app", ()) == 0
        assert "`git submodule update --init backend`" in capsys.readouterr().out


@pytest.mark.parametrize(("encoding", "words"), [("utf-8", "the name is not UTF-8"), ("ascii", "the name is not ascii")])
def test_a_folder_that_python_cannot_name_is_an_error_for_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, words: str
) -> None:
    folder = tmp_path / os.fsdecode(b"gr\xf6\xdfe")
    folder.mkdir()
    (folder / "a.proto").write_text('syntax = "proto3"; package p; message M {}')
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: encoding)
    with pytest.raises(UsageError, match=rf"gr\\xf6\\xdfe.*: {words}"):
        init(tmp_path, ())
    assert not (tmp_path / "interop.toml").exists()
