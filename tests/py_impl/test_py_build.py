"""Builds: any legal tree, what cannot be used is named, the rest works."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driver_process import DriverProcess
from grpc_interop.drivers import driver_pb2 as pb
from plays import RECEIVE, TO_END, finish, play
from py_builds import GREETER, Built, run_build

Build = Callable[[dict[str, str]], Built]
Start = Callable[[Built], DriverProcess]


def service(package: str, imports: str = "", **options: str) -> str:
    """A proto file with one message and a service that echoes it."""
    name, method, message = options.get("service", "Echo"), options.get("method", "Say"), options.get("message", "Word")
    header = f"package {package};" if package else ""
    return f"""
        syntax = "proto3";
        {header}
        {imports}
        message {message} {{ string text = 1; }}
        service {name} {{ rpc {method}({message}) returns ({message}); }}
    """


def says(driver: DriverProcess, method: str, message: str) -> bool:
    """Whether a unary RPC goes to and fro, in this driver alone."""
    server, address = driver.serve()
    channel = driver.dial(address)
    text = pb.Step(send=driver.payload(message, b"\n\x02hi"))
    case = driver.command(resource=channel, call=play(method, [[text, TO_END]]))
    driver.command(case, resource=server, expect=play(method, [[RECEIVE, text, finish()]]))
    statuses = [driver.event(case).transcript for _ in range(2)]
    return any(one.HasField("status") and one.status.code == 0 and one.lanes[0].observed[0].message.binary for one in statuses)


def test_a_driver_writes_nothing_into_its_build(build: Build, start: Start) -> None:
    """Python keeps what it compiles, and on a full disk only a part of it. All that a driver loads was compiled by the build."""
    built = build({"greeter/v1/greeter.proto": GREETER})
    out = Path(built.argv[-2])
    there = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert says(start(built), "/greeter.v1.Greeter/SayHello", "greeter.v1.HelloRequest")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == there
    assert any(path.suffix == ".pyc" for path in there)


class TestNames:
    @pytest.mark.parametrize(
        "file",
        [
            "top.proto",
            "io/x.proto",
            "io/deep/x.proto",
            "logging/x.proto",
            "json/x.proto",
            "grpc/testing/x.proto",
            "google/own/x.proto",
            "google/protobuf/own.proto",
            "driver/session.proto",
            "driver/contract/x.proto",
            "this/x.proto",
            "class/import/x.proto",
            "with-dash/with.dots/x-y.z.proto",
            "v1.2/x.proto",
            ".x.proto",
            "..x.proto",
            "a..b.proto",
            "folder./x.proto",
        ],
    )
    def test_files_and_folders(self, build: Build, start: Start, file: str) -> None:
        """Names of modules that exist, of keywords, and those that are no names at all; imported from elsewhere, too."""
        user = f"""
            syntax = "proto3";
            package user;
            import "{file}";
            message Word {{ named.Word inner = 1; }}
            service Echo {{ rpc Say(named.Word) returns (Word); }}
        """
        built = build({"user/user.proto": user, file: service("named")})
        assert built.errors == {}

        assert says(start(built), "/named.Echo/Say", "named.Word")

    def test_methods_and_messages_that_are_keywords(self, build: Build, start: Start) -> None:
        built = build({"x.proto": service("a.b", service="Stub", method="lambda", message="class")})

        if not built.errors:
            assert says(start(built), "/a.b.Stub/lambda", "a.b.class")
        else:
            assert set(built.errors) == {"x.proto"}

    def test_no_package(self, build: Build, start: Start) -> None:
        assert says(start(build({"x.proto": service("")})), "/Echo/Say", "Word")


class TestWhatIsThereAlready:
    def test_the_contract_itself(self, build: Build, start: Start) -> None:
        """The driver's own copy of the contract meets no copy in the tree."""
        contract = Path(__file__).parents[2] / "proto" / "interop" / "driver" / "v1" / "driver.proto"
        built = build({"interop/driver/v1/driver.proto": contract.read_text()})
        assert built.errors == {}
        driver = start(built)

        data = pb.Command(id=7).SerializeToString()
        answer = driver.event(driver.command(transcode=pb.Transcode(type="interop.driver.v1.Command", data=data)))
        assert answer.transcoded.binary == data

    def test_a_copy_of_what_the_runtime_brings(self, build: Build, start: Start) -> None:
        """The runtime's own messages are used, and the user's file gets them."""
        anys = 'syntax = "proto3"; package google.protobuf; message Any { string type_url = 1; bytes value = 2; }'
        user = """
            syntax = "proto3";
            package user;
            import "google/protobuf/any.proto";
            message Word { google.protobuf.Any any = 1; }
        """
        built = build({"google/protobuf/any.proto": anys, "user.proto": user})
        assert built.errors == {}

        driver = start(built)
        assert driver.event(driver.command(transcode=pb.Transcode(type="user.Word", data=b"\n\x00"))).HasField("transcoded")

    def test_a_copy_of_the_common_protos(self, build: Build, start: Start) -> None:
        """The tree's own copy is used, also where it differs from the one that is installed."""
        status = 'syntax = "proto3"; package google.rpc; message Status { int32 code = 1; string ours = 99; }'
        built = build({"google/rpc/status.proto": status, "x.proto": service("x", 'import "google/rpc/status.proto";')})
        assert built.errors == {}

        data = b"\x9a\x06\x01a"
        driver = start(built)
        answer = driver.event(driver.command(transcode=pb.Transcode(type="google.rpc.Status", data=data, to_view=True)))
        assert [field.number for field in answer.transcoded.view.fields] == [99]


class TestRefusals:
    def test_a_method_that_python_cannot_have(self, build: Build, start: Start) -> None:
        """It is reported with Python's words; everything else works, the file's messages in other files, too."""
        user = """
            syntax = "proto3";
            package user;
            import "bad.proto";
            service Echo { rpc Say(bad.Word) returns (bad.Word); }
        """
        built = build({"bad.proto": service("bad", method="None"), "good.proto": service("good"), "user.proto": user})

        assert set(built.errors) == {"bad.proto"}
        assert "SyntaxError" in built.errors["bad.proto"]
        driver = start(built)
        assert says(driver, "/good.Echo/Say", "good.Word")
        assert says(driver, "/user.Echo/Say", "bad.Word")

    def test_a_message_that_the_driver_has_already(self, build: Build, start: Start) -> None:
        """It cannot be registered twice; what imports it is left out as well, and says so."""
        own = 'syntax = "proto3"; package grpc_interop_private.driver.v1; message Command {}'
        built = build({"my/options.proto": own, "user.proto": service("user", 'import "my/options.proto";'), "good.proto": service("good")})

        assert set(built.errors) == {"my/options.proto", "user.proto"}
        assert "grpc_interop_private.driver.v1.Command" in built.errors["my/options.proto"]
        assert built.errors["user.proto"] == "imports my/options.proto, which was refused"
        assert says(start(built), "/good.Echo/Say", "good.Word")

    def test_two_files_of_one_module(self, build: Build, start: Start) -> None:
        built = build({"a-b.proto": service("one"), "a_b.proto": service("two"), "c.proto": service("three", 'import "a_b.proto";')})

        assert built.errors == {
            "a_b.proto": "its module a_b_pb2 is also that of a-b.proto",
            "c.proto": "imports a_b.proto, which was refused",
        }
        assert says(start(built), "/one.Echo/Say", "one.Word")

    @pytest.mark.parametrize(("first", "second"), [(".x", "x"), ("a..b", "a/b")])
    def test_two_modules_of_one_file(self, build: Build, start: Start, first: str, second: str) -> None:
        """protoc would write one over the other, and each would be taken for the other."""
        built = build({f"{first}.proto": service("one"), f"{second}.proto": service("two")})

        assert built.errors == {f"{second}.proto": f"its module {second.replace('/', '.')}_pb2 is also that of {first}.proto"}
        assert says(start(built), "/one.Echo/Say", "one.Word")

    @pytest.mark.parametrize("file", ["-x", "--help", "@x", "1x", "_x", "x y", "q'x", 'q"x', "$x", "x,y", "n\nl", "", "l" * 249])
    def test_file_names_that_python_cannot_have(self, build: Build, start: Start, file: str) -> None:
        """A finding about that file, whatever it is called."""
        built = build({f"{file}.proto": service("odd"), "sub/fine.proto": service("fine")})

        assert set(built.errors) == {f"{file}.proto"}
        assert says(start(built), "/fine.Echo/Say", "fine.Word")


class TestAnswer:
    def test_programs_need_the_greeter(self, build: Build, greeter: Built) -> None:
        assert set(greeter.answer["programs"]) == {"greeter-server", "greeter-client"}
        assert build({"x.proto": service("x")}).answer["programs"] == {}

    def test_only_what_the_files_need_is_generated(self, build: Build) -> None:
        built = build({"greeter/v1/greeter.proto": GREETER})
        tree = Path(built.argv[-2]) / "tree"

        assert sorted(path.name for path in tree.rglob("*.py")) == ["greeter_pb2.py", "greeter_pb2_grpc.py"]

    def test_the_doctor_names_what_it_found(self, tmp_path: Path) -> None:
        request = {"schema": 1, "action": "doctor", "cache": str(tmp_path), "answer": str(tmp_path / "answer.json")}
        tools = run_build(tmp_path, request)["tools"]

        assert [tool["name"] for tool in tools] == ["python", "grpcio", "grpcio-tools", "protobuf"]
        assert all(tool["ok"] and tool["version"] and tool["where"] and not tool["remedy"] for tool in tools)


def chars(text: str) -> str:
    """An expression for a text that holds no quotes and no dots."""
    return "+".join(f"chr({ord(char)})" for char in text)


class TestNamesThatAreCode:
    """protoc for Python writes names into modules as they are. Nothing of such a file is generated, whatever let it in."""

    @pytest.fixture
    def canary(self) -> Iterator[Path]:
        """A path so short that it fits in a file's name as an expression."""
        path = Path(f"/tmp/{os.getpid()}")
        yield path
        path.unlink(missing_ok=True)

    def test_in_quotes(self, build: Build, canary: Path) -> None:
        file = f"a'+str(open({chars(str(canary))},chr(119)))+'.proto"
        built = build({file: service("odd"), "fine.proto": service("fine")})
        assert set(built.errors) == {file}
        assert 'where "\'" would end it' in built.errors[file]
        assert not canary.exists()

    @pytest.mark.parametrize("public", ["", "public "])
    def test_in_the_import_statement_of_another_file(self, build: Build, canary: Path, public: str) -> None:
        file = f"os;open({chars(str(canary))},chr(119));import b.proto"
        built = build(
            {
                file: 'syntax = "proto3"; package odd; message M {}',
                "user.proto": f'syntax = "proto3"; import {public}"{file}"; message N {{ odd.M m = 1; }}',
            }
        )
        assert set(built.errors) == {file, "user.proto"}
        assert "no import statement can name its module" in built.errors[file]
        assert not canary.exists()

    @pytest.mark.parametrize("file", ["../x.proto", "a/../../x.proto", "/x.proto"])
    def test_paths_that_leave_the_folder(self, file: str) -> None:
        """
        None is on a disk, but a descriptor may have one.
        """
        program = "import sys, build; print(build._not_names([sys.argv[1]], {}))"
        folder = Path(__file__).parents[2] / "py_impl"
        done = subprocess.run([sys.executable, "-c", program, file], cwd=folder, capture_output=True, text=True, check=True)
        assert "outside of the folder" in done.stdout

    def test_messages_that_no_statement_names_are_driven(self, build: Build, start: Start) -> None:
        """
        A module is loaded by its path, so that its name need not be one in Python.
        """
        built = build({"a b.proto": 'syntax = "proto3"; package odd; message M {}', "fine.proto": service("fine")})
        assert built.errors == {}
        assert says(start(built), "/fine.Echo/Say", "fine.Word")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_requirements_in_another_encoding_are_left_to_pip_to_read(tmp_path: Path, encoding: str) -> None:
    """Such as those that PowerShell writes: pip takes them."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_bytes("grpcio==1.73.0  # für alle\n".encode(encoding))
    program = """
import pathlib, sys
import environments
try:
    environments.interpreter({"requirements": sys.argv[1]}, pathlib.Path(sys.argv[2]), install=False)
except environments.NotYetMade as told:
    print(told)
"""
    command = [sys.executable, "-c", program, str(requirements), str(tmp_path / "cache")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2] / "py_impl", capture_output=True, text=True, check=True)
    assert done.stdout == f"the environment of {requirements}\n"
