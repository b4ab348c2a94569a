"""Enums that no field uses, and the messages that hold them."""

from pathlib import Path

import pytest

from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.diff.synthetic_messages import is_synthetic, unused_enums, with_synthetic_messages
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.shapes import Shapes
from two_versions import compiled

ALONE = "enum E { ZERO = 0; ONE = 1; }"
MORE = "enum E { ZERO = 0; ONE = 1; TWO = 2; }"


def catalog(folder: Path, body: str, syntax: str = "proto3") -> Catalog:
    return compiled(folder, {"e.proto": f'syntax = "{syntax}"; package e; {body}'})


def found(folder: Path, base: str, head: str, syntax: str = "proto3") -> list[str]:
    return unused_enums(MatchedSchemas(Shapes(catalog(folder / "base", base, syntax)), Shapes(catalog(folder / "head", head, syntax))))


@pytest.mark.parametrize(
    ("base", "head", "enums"),
    [
        (ALONE, MORE, ["e.E"]),
        (ALONE, ALONE, []),
        (ALONE, "message M {}", []),
        (f"{ALONE} message M {{ E e = 1; }}", f"{MORE} message M {{ E e = 1; }}", []),
        (f"{ALONE} message M {{ map<string, E> e = 1; }}", f"{MORE} message M {{ map<string, E> e = 1; }}", []),
        (f"{ALONE} message M {{ int32 n = 1; }}", f"{MORE} message M {{ int32 n = 1; E e = 2; }}", ["e.E"]),
        (f"message M {{ {ALONE} }}", f"message M {{ {MORE} }}", ["e.M.E"]),
    ],
    ids=["differs", "equal", "gone", "in_a_field", "in_a_map", "in_a_new_field_alone", "nested"],
)
def test_those_that_differ_and_that_no_field_has_in_both(tmp_path: Path, base: str, head: str, enums: list[str]) -> None:
    assert found(tmp_path, base, head) == enums


@pytest.mark.parametrize("syntax", ["proto2", "proto3"])
def test_a_message_holds_one_whether_it_is_open_or_closed(tmp_path: Path, syntax: str) -> None:
    plain = catalog(tmp_path / "protos", ALONE, syntax)
    held = Shapes(with_synthetic_messages(plain, ["e.E"])).of("held_by_interop.Held_e_E")
    assert [(one.name, one.repeated) for one in held.ordered] == [("one", False), ("several", True)]
    assert (held.ordered[0].closed is not None) == (syntax == "proto2")
    assert is_synthetic(held.name)


def test_what_holds_none_stays_as_it_is(tmp_path: Path) -> None:
    plain = catalog(tmp_path / "protos", ALONE)
    assert with_synthetic_messages(plain, ["e.Other"]) is plain
