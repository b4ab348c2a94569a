"""What an Any may hold that its reader does not know, and where."""

from pathlib import Path

from grpc_interop.compat.diff.anys import FEW, MOST_NAMED, Anys
from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.wire.shapes import Shapes
from two_versions import compiled

HEAD = 'syntax = "proto3"; package t; import "google/protobuf/any.proto";'
ANY = "google.protobuf.Any"


def between(folder: Path, base: str, head: str) -> Anys:
    sides = [compiled(folder / name, {"a.proto": f"{HEAD}\n{text}"}) for name, text in (("base", base), ("head", head))]
    return Anys(MatchedSchemas(*map(Shapes, sides)))


def types(*names: str) -> str:
    return " ".join(f"message {name} {{}}" for name in names)


def held(anys: Anys, version: Version) -> dict[str, list[str]]:
    return {pair.name: anys.held(pair, version) for pair in anys.pairs}


def test_places_are_fields_lists_maps_and_whole_requests_and_responses(tmp_path: Path) -> None:
    """
    Where both versions have an Any, within an RPC's messages or not.
    """
    text = f"""
      message M {{ {ANY} one = 1; repeated {ANY} list = 2; map<int32, {ANY}> map = 3; oneof o {{ {ANY} arm = 4; }} int32 n = 5; }}
      service S {{ rpc Get({ANY}) returns (stream {ANY}); }}
    """
    note = between(tmp_path, f"{text} message N {{ {ANY} gone = 1; }}", f"{text} message N {{ bytes gone = 1; }}").note()
    assert "(t.S/Get request, t.S/Get response, t.M.one, t.M.list, t.M.map and 1 more)" in note
    assert MOST_NAMED == 5


def test_without_a_place_there_is_nothing_to_note(tmp_path: Path) -> None:
    assert between(tmp_path, types("Gone"), "").note() == ""


def test_what_is_gone_is_held_and_what_may_take_its_place(tmp_path: Path) -> None:
    """
    A type that stands where it stood, has its name in another scope, or its fields; and no other one.
    """
    base = (
        f"message M {{ {ANY} any = 1; Used used = 2; }} message Used {{}} message Moved {{ bool b = 1; }} message Copied {{ int32 n = 7; }}"
    )
    head = f"""
      message M {{ {ANY} any = 1; Other used = 2; }} message Other {{}} message Scope {{ message Moved {{}} }}
      message Copy {{ int32 n = 7; }} message New {{ int32 n = 1; }} message Nothing {{}}
    """
    anys = between(tmp_path, base, head)
    assert held(anys, Version.BASE) == {"t.M": ["t.Copied", "t.Moved", "t.Used"]}
    assert held(anys, Version.HEAD) == {"t.M": ["t.Copy", "t.Other", "t.Scope.Moved"]}


def test_a_mere_addition_is_not_held(tmp_path: Path) -> None:
    text = f"message M {{ {ANY} any = 1; }}"
    anys = between(tmp_path, text, f"{text} {types('New')}")
    assert held(anys, Version.HEAD) == held(anys, Version.BASE) == {"t.M": []}


def test_every_type_has_its_turn_and_every_place_some_types(tmp_path: Path) -> None:
    gone = [f"G{number}" for number in range(10)]
    text = f"message M {{ {ANY} any = 1; N n = 2; }} message N {{ {ANY} any = 1; }}"
    shares = held(between(tmp_path, f"{text} {types(*gone)}", text), Version.BASE)
    assert {name for share in shares.values() for name in share} == {f"t.{name}" for name in gone}
    assert all(len(share) >= FEW for share in shares.values())


def test_no_type_is_held_twice_at_one_place(tmp_path: Path) -> None:
    text = f"message M {{ {ANY} any = 1; }}"
    assert held(between(tmp_path, f"{text} {types('Gone')}", text), Version.BASE) == {"t.M": ["t.Gone"]}
