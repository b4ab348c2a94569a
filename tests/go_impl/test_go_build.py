"""Building the Go driver for trees of protos, as the harness asks for it."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from buildtool import generator, linked
from buildtool.toolchain import Toolchain
from google.protobuf import descriptor_pb2, timestamp_pb2

REPOSITORY = Path(__file__).parents[2]
GO_IMPL = REPOSITORY / "go_impl"

# Kept between runs: a cold build of grpc-go takes half a minute.
CACHE = REPOSITORY / ".interop" / "cache" / "go"

FOUR_KINDS = (
    "service S { rpc A(M) returns (M); rpc B(M) returns (stream M); rpc C(stream M) returns (M); rpc D(stream M) returns (stream M); }"
)


@dataclass(frozen=True)
class Built:
    """What a build answered, and its log."""

    answer: dict[str, Any]
    log: str

    @property
    def errors(self) -> dict[str, str]:
        return {error["file"]: error["text"] for error in self.answer["errors"]}

    def starts(self) -> bool:
        """Whether the driver gets past registering what it was built with: then it misses the harness' address."""
        done = subprocess.run(self.answer["driver"]["argv"], env={}, capture_output=True, text=True, check=False)
        return "INTEROP_DRIVER_ADDRESS" in done.stderr and "panic" not in done.stderr


def request(folder: Path, answer: str, **more: Any) -> Any:
    path = folder / "request.json"
    path.write_text(json.dumps({"schema": 1, "cache": str(CACHE), "answer": str(folder / answer), **more}))
    return path


def build(folder: Path, protos: dict[str, str]) -> Built:
    """Builds a tree, given as file name and text; `syntax = "proto3";` stands before texts that say nothing else."""
    root = folder / "tree"
    for name, text in protos.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if re.search("^(syntax|edition) =", text, re.MULTILINE) else f'syntax = "proto3";\n{text}')
    descriptors = folder / "tree.binpb"
    includes = [f"-I{root}", f"-I{Path(grpc_tools.__file__).parent / '_proto'}"]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", *includes, "--include_imports", f"--descriptor_set_out={descriptors}"]
    subprocess.run([*protoc, *protos], check=True)
    out = folder / "out"
    out.mkdir()
    path = request(folder, "answer.json", action="build", descriptor_set=str(descriptors), files=list(protos), out=str(out))
    done = subprocess.run([sys.executable, "build.py", str(path)], cwd=GO_IMPL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Built(json.loads((folder / "answer.json").read_text()), done.stdout + done.stderr)


def service(package: str, extra: str = "") -> str:
    return f"package {package};\n{extra}\nmessage M {{ string a = 1; }}\n{FOUR_KINDS}\n"


class TestBuild:
    def test_builds_the_programs_with_their_service(self, tmp_path: Path) -> None:
        """
        The quick-start tree gives the driver and both hand-written programs, without errors.
        """
        built = build(tmp_path, {"greeter/v1/greeter.proto": (REPOSITORY / "proto/greeter/v1/greeter.proto").read_text()})
        assert built.errors == {}
        assert set(built.answer["programs"]) == {"greeter-server", "greeter-client"}
        assert built.starts()

    def test_drops_the_programs_where_their_service_has_changed(self, tmp_path: Path) -> None:
        """
        A greeter.proto that the programs do not compile with is reported, and its driver is built all the same.
        """
        built = build(tmp_path, {"greeter/v1/greeter.proto": service("greeter.v1")})
        assert "internal/greeter" in built.errors["greeter/v1/greeter.proto"]
        assert built.answer["programs"] == {}
        assert built.starts()

    def test_takes_names_that_mean_something_to_go(self, tmp_path: Path) -> None:
        """
        Directories, files and packages with special names are legal protos, and none of them is refused.
        """
        directories = ["internal", "vendor/x", "testdata", "_x", "main", "go", "x_test", "std/io", "Upper", "upper"]
        files = ["foo_test", "foo_windows_amd64", "_hidden", "a-b", "a.b", "x_grpc", "x", ".x", "x y", "x,y", "x=y", "#x", "l" * 249]
        protos = {f"{name}/f.proto": service(f"d{i}") for i, name in enumerate(directories)}
        protos |= {f"odd/{name}.proto": service(f"f{i}", 'option go_package = "example.com/odd";') for i, name in enumerate(files)}
        protos["names.proto"] = (
            "package names; message Context { string string = 1; string reset = 2; } message error { string s = 1; }"
            " message Client { string s = 1; } service lower { rpc sayHello(Context) returns (error);"
            " rpc type(Client) returns (stream Client); rpc Handle(Client) returns (Client); }"
            " service Host { rpc Host(stream Client) returns (Client); } service Empty {}"
        )
        built = build(tmp_path, protos)
        assert built.errors == {}
        assert built.starts()

    def test_takes_packages_named_like_variables_of_the_generated_code(self, tmp_path: Path) -> None:
        """
        They are used by their own services and by those of others, in all four kinds of RPCs.
        """
        variables = "application c call ctx dec err handler host in info interceptor m opts options over reply request s srv stream to x"
        own = "enum E { A = 0; B = 1; } message M { E e = 1; string s = 2; } "
        user = "message U { %s.E e = 1; %s.M m = 2; } "
        protos = {}
        for name in variables.split():
            protos[f"{name}/own.proto"] = f"package own.{name}; {own}{FOUR_KINDS}"
            others = (user + FOUR_KINDS).replace("(M)", f"(own.{name}.M)").replace("stream M", f"stream own.{name}.M")
            others = others.replace("%s", f"own.{name}")
            protos[f"user/{name}.proto"] = f'package user.{name}; import "{name}/own.proto"; {others}'
        built = build(tmp_path, protos)
        assert built.errors == {}
        assert built.starts()

    def test_takes_every_syntax(self, tmp_path: Path) -> None:
        """
        proto2 with groups and extensions, editions with the open and the opaque API.
        """
        proto2 = (
            'syntax = "proto2"; package p2; import "google/protobuf/descriptor.proto";'
            " extend google.protobuf.FieldOptions { optional string mine = 50001; }"
            ' message M { required string a = 1 [(mine) = "x"]; optional group G = 2 { optional int32 b = 3; } extensions 100 to 200; }'
            " extend M { optional M more = 100; } "
        )
        edition = 'edition = "2024"; package e24; message M { int32 a = 1; oneof o { string x = 3; int32 y = 4; } }'
        hybrid = (
            'edition = "2023"; package hybrid; import "google/protobuf/go_features.proto";'
            " option features.(pb.go).api_level = API_HYBRID; message M { M g = 2 [features.message_encoding = DELIMITED]; }"
        )
        built = build(tmp_path, {"p2.proto": proto2 + FOUR_KINDS, "e24.proto": edition + FOUR_KINDS, "hybrid.proto": hybrid + FOUR_KINDS})
        assert built.errors == {}
        assert built.starts()

    def test_takes_what_the_driver_itself_links(self, tmp_path: Path) -> None:
        """
        The contract, copies of common protos, and names that the runtime registers under another file do no harm.
        """
        status = "package google.rpc; message Status { int32 code = 1; string message = 2; bool mine = 9; }"
        timestamp = "package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }"
        protos = {
            "interop/driver/v1/driver.proto": (REPOSITORY / "proto/interop/driver/v1/driver.proto").read_text(),
            "google/protobuf/timestamp.proto": timestamp,
            "third_party/status.proto": status,
            "uses.proto": 'import "third_party/status.proto"; import "google/protobuf/timestamp.proto";'
            " message M { google.rpc.Status s = 1; google.protobuf.Timestamp t = 2; }" + FOUR_KINDS,
            "grpc/health/v1/health.proto": service("grpc.health.v1"),
        }
        built = build(tmp_path, protos)
        assert built.errors == {}
        assert built.starts()

    def test_leaves_out_what_go_refuses_and_builds_the_rest(self, tmp_path: Path) -> None:
        """
        A legal proto that generates clashing Go names is reported with the compiler's words, and so are its importers.
        """
        clash = "package bad; message M { message B {} } message M_B {} " + FOUR_KINDS
        protos = {
            "bad.proto": clash,
            "importer.proto": 'import "bad.proto"; message Uses { bad.M m = 1; }',
            "good.proto": service("good"),
        }
        built = build(tmp_path, protos)
        assert set(built.errors) == {"bad.proto", "importer.proto"}
        assert "M_B redeclared" in built.errors["bad.proto"]
        assert "imports bad.proto" in built.errors["importer.proto"]
        assert str(tmp_path) not in built.errors["bad.proto"]
        assert built.starts()


class TestDoctor:
    def doctor(self, folder: Path, env: dict[str, str]) -> dict[str, Any]:
        path = request(folder, "answer.json", action="doctor")
        subprocess.run([sys.executable, "build.py", str(path)], cwd=GO_IMPL, env=env, check=True)
        (tool,) = json.loads((folder / "answer.json").read_text())["tools"]
        return dict(tool)

    def test_says_what_to_do_about_a_go_that_is_none(self, tmp_path: Path) -> None:
        """
        GO names the program to use; if it is no Go, the words say so, and nothing else is taken in its place.
        """
        found = self.doctor(tmp_path, {"GO": "/bin/true", "PATH": "/nowhere"})
        assert not found["ok"]
        assert "GO=/bin/true" in found["name"]


class TestLinked:
    @pytest.mark.parametrize(("number", "covered"), [(1, True), (7, False)])
    def test_linked_code_covers_a_copy_that_declares_no_more(self, number: int, covered: bool) -> None:
        """
        An older copy of a common proto is covered, one with a field of its own is not.
        """
        theirs = descriptor_pb2.FileDescriptorProto.FromString(timestamp_pb2.DESCRIPTOR.serialized_pb)
        copy = descriptor_pb2.FileDescriptorProto()
        copy.CopyFrom(theirs)
        del copy.message_type[0].field[1]
        copy.message_type[0].field[0].number = number
        assert linked.covers(theirs, copy) is covered


def test_code_can_be_generated_while_the_driver_does_not_compile() -> None:
    """
    Whoever changes the contract changes the driver with it: what generates its code must not be built from it.
    """
    needed = Toolchain.find(CACHE).run("list", "-deps", *generator.PLUGINS).splitlines()
    assert "google.golang.org/protobuf/compiler/protogen" in needed
    assert [name for name in needed if name.startswith("grpc-interop/") and "/cmd/" not in name] == []
