"""What is read of a proto file without compiling it."""

from pathlib import Path

import pytest

from grpc_interop.schema.roots.statements import Statements, read_statements


def read(tmp_path: Path, text: str) -> Statements:
    (tmp_path / "x.proto").write_bytes(text.encode())
    return read_statements(tmp_path / "x.proto")


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ('import "a.proto";', ("a.proto",)),
        ("import 'a.proto';", ("a.proto",)),
        ("import public 'a.proto'; import weak \"b.proto\";import option 'c.proto';", ("a.proto", "b.proto", "c.proto")),
        ("import 'a/' \"b/\" /* in pieces */ 'c.proto';", ("a/b/c.proto",)),
        ("import\n  // where?\n  'a.proto'\n  ;", ("a.proto",)),
        ("// import 'a.proto';\n/* import 'b.proto';\nimport 'c.proto'; */", ()),
        ("option x = \"import 'a.proto';\"; import 'b.proto';", ("b.proto",)),
        ("option x = '// no comment'; import 'b.proto'; /* never ends: import 'c.proto';", ("b.proto",)),
        ("option x = 'it\\'s; import'; import 'b.proto';", ("b.proto",)),
        ("message M { string import = 1; option (o) = { s: 'import' }; } import 'b.proto';", ("b.proto",)),
        ("\N{BYTE ORDER MARK}import 'a.proto';", ("a.proto",)),
        ("import", ()),
        ("import ;", ()),
    ],
)
def test_imports(tmp_path: Path, text: str, imports: tuple[str, ...]) -> None:
    """
    protoc takes a text in either quotes, and joins several.
    """
    assert read(tmp_path, text).imports == imports


def test_the_package_and_rpcs(tmp_path: Path) -> None:
    text = """
        syntax = "proto3"; package a . b;
        message service { message rpc {} map<string, int32> rpc = 1; }
        service S { option deprecated = true; rpc One(service) returns (stream service) {}; /* rpc Not(A) returns (B); */
          rpc Two(service) returns (service) { option (o) = { get: "/rpc" more { rpc: 1 } }; } rpc Three(a.b.service) returns (service); }
        service T {} service U { rpc One(service) returns (service); }
    """
    assert read(tmp_path, text) == Statements("a.b", (), ("a.b.S/One", "a.b.S/Two", "a.b.S/Three", "a.b.U/One"))


def test_an_rpc_without_a_package(tmp_path: Path) -> None:
    assert read(tmp_path, "service S { rpc Do(A) returns (B); }").rpcs == ("S/Do",)
