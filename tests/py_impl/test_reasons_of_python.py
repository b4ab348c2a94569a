"""Why Python refuses a file, told of the element to blame; its own words tell of generated code."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto as Message
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File
from google.protobuf.descriptor_pb2 import MethodDescriptorProto as Method
from google.protobuf.descriptor_pb2 import ServiceDescriptorProto as Service

_SPEC = importlib.util.spec_from_file_location("py_impl_reasons", Path(__file__).parents[2] / "py_impl" / "reasons.py")
assert _SPEC is not None and _SPEC.loader is not None
reasons: Any = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = reasons
_SPEC.loader.exec_module(reasons)

SYNTAX, TYPE = "SyntaxError: invalid syntax (a_pb2_grpc.py, line 38)", "TypeError: FooStub() takes no arguments"


def rpc(name: str, takes: str = ".p.O") -> File:
    return File(name="a.proto", package="p", service=[Service(name="S", method=[Method(name=name, input_type=takes, output_type=".p.O")])])


def two(*names: str) -> File:
    return File(name="a.proto", package="p", service=[Service(name=name) for name in names])


SAID: dict[str, tuple[File, str, str, str]] = {
    "an RPC called like a keyword": (rpc("import"), SYNTAX, "p.S/import", "RPC p.S/import: Python's generator writes `def import`"),
    "an RPC's message called so": (rpc("Say", ".p.None"), SYNTAX, "p.S/Say", "RPC p.S/Say: Python's generator writes `.None` for p.None"),
    "a service called like a stub": (two("Foo", "FooStub"), TYPE, "p.FooStub", "service p.FooStub: Python's generator writes a class of"),
    "a service called like a servicer": (two("FooServicer", "Foo"), TYPE, "p.FooServicer", "service p.FooServicer: Python's generator"),
    "an RPC called like a constructor": (rpc("__init__"), TYPE, "p.S/__init__", "RPC p.S/__init__: Python's own method __init__"),
    "two fields of one JSON name": (
        File(package="p", message_type=[Message(name="M", field=[Field(name="a_b", json_name="aB"), Field(name="aB", json_name="aB")])]),
        "TypeError: duplicate json_name (aB)",
        "p.M.aB",
        "field p.M.aB: its JSON name aB is also that of a_b",
    ),
    "a file that begins with _": (
        File(name="_x/a.proto", service=[Service(name="S")]),
        "NameError: name '_S__x__pb2' is not defined",
        "",
        "a top-level name that begins with _ (_x) is private to Python",
    ),
    "a file that begins with a digit": (
        File(name="1x.proto", service=[Service(name="S")]),
        "SyntaxError: invalid decimal literal",
        "",
        "a top-level name that begins with a digit (1x.proto) is no name in Python",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_the_element_and_the_reason_come_first_and_the_words_stay(name: str) -> None:
    file, said, element, begins = SAID[name]
    reason = reasons.explain(file, said)
    assert reason.element == element
    assert reason.text.startswith(begins)
    assert reason.text.endswith(said)


def test_an_element_that_the_words_name_is_taken_from_them() -> None:
    file = File(package="p.v1", message_type=[Message(name="M", nested_type=[Message(name="N", field=[Field(name="f")])])])
    said = "TypeError: Couldn't build proto file: p.v1.M.N.f is no field"
    assert reasons.explain(file, said) == ("p.v1.M.N.f", said)


@pytest.mark.parametrize("said", ["imports b.proto, which was refused", "its module a_b_pb2 is also that of a-b.proto"])
def test_what_is_about_the_whole_file_stays_as_it_is(said: str) -> None:
    assert reasons.explain(rpc("Say"), said) == ("", said)
