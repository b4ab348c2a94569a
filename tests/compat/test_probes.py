"""Probes: aimed at what differs, valid for their sender, the same each time."""

import random
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any_edit import any_edit
from grpc_interop.compat.diff.match_fields import TypePair
from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.probes.covering import covering
from grpc_interop.compat.probes.json_texts import json_texts
from grpc_interop.compat.probes.prober import MOST_OF_A_FIELD, MOST_OF_A_TYPE, Prober, Probes
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.meaning import Meaning, Value, complete, meaning
from grpc_interop.wire.shapes import Shapes

PROTO2, PROTO3 = 'syntax = "proto2"; package t;', 'syntax = "proto3"; package t;'
ANY = 'syntax = "proto3"; package t; import "google/protobuf/any.proto";'


class Pair:
    """Two versions of a file, whose messages M are compared."""

    def __init__(self, folder: Path, old: str, new: str) -> None:
        self.old, self.new = (Shapes(_catalog(folder, name, text)) for name, text in (("old", old), ("new", new)))

    def probes(self, *, back: bool = False, everything: bool = False, held: Sequence[str] = ()) -> Probes:
        """Of the old version's M to the new one's; `back` the other way."""
        sender, receiver = (self.new, self.old) if back else (self.old, self.new)
        writer = Version.HEAD if back else Version.BASE
        return Prober(sender, receiver).probes(self.types, writer, held, everything=everything)

    @property
    def types(self) -> TypePair:
        return MatchedSchemas(self.old, self.new).pair("t.M", "t.M")

    def covering(self) -> list[bytes]:
        """Messages of the old version for the new one."""
        return covering(self.old, self.types, Version.BASE)

    def meanings(self, *, back: bool = False) -> list[Meaning]:
        shape = (self.new if back else self.old).of("t.M")
        return [meaning(shape, one.data) for one in self.probes(back=back).probes]

    def values(self, *, back: bool = False) -> list[Value | None]:
        """What the field 1 holds in one probe after the other; None where it is absent."""
        return [one.fields.get(1) for one in self.meanings(back=back)]


Load = Callable[[str, str], Pair]


def _catalog(folder: Path, name: str, text: str) -> Catalog:
    root = folder / name
    root.mkdir(exist_ok=True)
    (root / "a.proto").write_text(text if text.startswith(("syntax", "edition")) else f"{PROTO3} {text}")
    return Catalog.load([root], [], folder / "cache")


@pytest.fixture
def pair(tmp_path: Path) -> Load:
    return lambda old, new: Pair(tmp_path, old, new)


def message(one: str, rest: str = "") -> str:
    return f"message M {{ {one} }} {rest}"


def double(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


def inner(*fields: tuple[int, Value]) -> Meaning:
    return Meaning(dict(fields), [])


ENTRY = "message E { string key = 1; int32 value = 2; int32 more = 3; }"
COLOURS = "enum C { NONE = 0; RED = 1; GREEN = 2; }"

AIMS: list[tuple[str, str, str, list[Value | None]]] = [
    ("a narrower integer", message("int64 a = 1;"), message("int32 a = 1;"), [1 << 31, (1 << 31) - 1, -1, 1 << 32, -(1 << 63), None]),
    ("another sign", message("uint32 a = 1;"), message("int32 a = 1;"), [1 << 31, (1 << 32) - 1]),
    ("zigzag", message("int32 a = 1;"), message("sint32 a = 1;"), [-1, -(1 << 31), (1 << 31) - 1]),
    ("fixed", message("fixed64 a = 1;"), message("sfixed64 a = 1;"), [1 << 63, (1 << 64) - 1]),
    ("a bool of an integer", message("int32 a = 1;"), message("bool a = 1;"), [2, -1]),
    ("a bool of a wide integer", message("uint64 a = 1;"), message("bool a = 1;"), [1 << 32]),
    ("a float of a double", message("double a = 1;"), message("float a = 1;"), [double(x) for x in (0.1, 1e300, 16777217.0, -0.0, 5e-324)]),
    ("an integer of a double", message("double a = 1;"), message("int64 a = 1;"), [double(0.5), double(2.0**63)]),
    ("an enum of an integer", message("int32 a = 1;"), message("C a = 1;", COLOURS), [1, 2, 123456789]),
    ("bytes of a string", message("string a = 1;"), message("bytes a = 1;"), ["\U0001f600".encode(), b"a\0b", b"QUJD"]),
    ("a string of bytes", message("bytes a = 1;"), message("string a = 1;"), [b"\xff", b"\0"]),
    ("an enum of a string", message("string a = 1;"), message("C a = 1;", COLOURS), [b"RED"]),
    ("a message of bytes", message("bytes a = 1;"), message("E a = 1;", ENTRY), [b"\x08", b"\x08\x01"]),
    ("bytes of a message", message("E a = 1;", ENTRY), message("bytes a = 1;"), [inner((1, b"x")), inner()]),
    ("one of many", message("repeated int32 a = 1;"), message("int32 a = 1;"), [None, [1], [1, 2], [1, 2, 0], [0]]),
    ("one message of many", message("repeated E a = 1;", ENTRY), message("E a = 1;", ENTRY), [[inner((1, b"x")), inner()]]),
    ("presence lost", message("optional int32 a = 1;"), message("int32 a = 1;"), [None, 0, 1]),
    ("other keys", message("map<int64, bool> a = 1;"), message("map<int32, bool> a = 1;"), [{1 << 32: 1}, {1: 1}, {1: 1, 2: 0}]),
    (
        "other values of a map",
        message("map<int32, int64> a = 1;"),
        message("map<int32, int32> a = 1;"),
        [{1: 1 << 31}, {1: -(1 << 63)}, {1: 1, 2: 2}, {0: 0}],
    ),
    (
        "a map of entries",
        message("repeated E a = 1;", ENTRY),
        message("map<string, int32> a = 1;"),
        [
            [inner((1, b"x"), (2, 1)), inner((1, b"x"), (2, 2))],
            [inner((1, b"x"))],
            [inner((2, 1))],
            [inner((1, b"x"), (2, 1), (3, 1))],
        ],
    ),
    ("a value gone", message("C a = 1;", COLOURS), message("C a = 1;", "enum C { NONE = 0; RED = 1; }"), [2, 123456789]),
    ("a value that is new", message("C a = 1;", "enum C { NONE = 0; RED = 1; }"), message("C a = 1;", COLOURS), [2]),
    ("a field gone", message("int32 a = 1;"), message(""), [None, 1]),
    ("a name changed", message("string a = 1;"), message("string b = 1;"), [None, b"x"]),
    (
        "a default changed",
        f"{PROTO2} message M {{ optional int32 a = 1 [default = 7]; }}",
        f"{PROTO2} message M {{ optional int32 a = 1; }}",
        [None, 7],
    ),
    ("required", f"{PROTO2} message M {{ optional int32 a = 1; }}", f"{PROTO2} message M {{ required int32 a = 1; }}", [None, 1]),
    ("renamed and narrower", message("int64 a = 1;"), message("int32 b = 1;"), [1 << 31]),
    ("the type of the name", message("int64 a = 1;"), message("string b = 1; int32 a = 2;"), [1 << 31]),
    ("a message of a string", message("string a = 1;"), message("F a = 1;", "message F { float x = 1; }"), [b"x", None]),
    ("UTF-8", f"{PROTO2} message M {{ optional string a = 1; }}", message("optional string a = 1;"), [b"\xff", b"x"]),
]


@pytest.mark.parametrize(("old", "new", "wanted"), [aim[1:] for aim in AIMS], ids=[aim[0] for aim in AIMS])
def test_probes_hold_the_values_that_tell_the_types_apart(pair: Load, old: str, new: str, wanted: list[Value | None]) -> None:
    """
    Each value that the change is about is sent in the field alone.
    """
    both = pair(old, new)
    shape, found = both.old.of("t.M"), both.values()
    assert all(complete(shape, meaning(shape, one.data)) is not one.malformed for one in both.probes().probes)
    assert [value for value in wanted if value not in found] == []


def test_a_closed_enum_is_sent_with_its_own_values_only(pair: Load) -> None:
    """
    A program cannot set a number that its version of a closed enum does not declare.
    """
    closed = "enum C {{ NONE = 0; {} }}"
    both = pair(
        f"{PROTO2} message M {{ optional C a = 1; }} {closed.format('RED = 1;')}",
        f"{PROTO2} message M {{ optional C a = 1; }} {closed.format('BLUE = 2;')}",
    )
    assert set(both.values()) == {None, 0, 1}
    assert set(both.values(back=True)) == {None, 0, 2}


def test_a_field_that_becomes_an_arm_is_sent_before_and_after_the_others(pair: Load) -> None:
    """
    A sender that does not know it for an arm sets it and another one, each of them last once.
    """
    both = pair(
        message("oneof o { int32 a = 1; int32 b = 2; } optional int32 c = 3;"),
        message("oneof o { int32 a = 1; int32 b = 2; int32 c = 3; }"),
    )
    sent = [one.data for one in both.probes().probes]
    for other in (b"\x08\x01", b"\x10\x01"):
        assert b"\x18\x01" + other in sent
        assert other + b"\x18\x01" in sent
    back = [one.data for one in both.probes(back=True).probes]
    assert b"\x18\x00" in back
    assert b"\x08\x01\x10\x01" not in back


def test_fields_that_share_a_number_or_a_name_are_sent_together(pair: Load) -> None:
    """
    Where two fields have swapped their numbers, both are set at once, so that one is seen in the other's place.
    """
    for new in ("int32 a = 2; string b = 1;", "int32 a = 2;", "string b = 1;"):
        both = pair(message("int32 a = 1; string b = 2;"), message(new))
        assert any(one.fields == {1: 1, 2: b"x"} for one in both.meanings())


def test_each_aim_is_sent_beside_an_untouched_field(pair: Load) -> None:
    """
    An interference with a field that has not changed shows.
    """
    both = pair(message("int64 a = 1; string b = 2;"), message("int32 a = 1; string b = 2;"))
    assert any(one.fields == {1: 1, 2: b"x"} for one in both.meanings())


def test_lists_are_sent_in_every_encoding_where_packing_differs(pair: Load) -> None:
    """
    Packed, one by one, and mixed.
    """
    both = pair(message("repeated int32 a = 1;"), message("repeated int32 a = 1 [packed = false];"))
    for back in (False, True):
        sent = [one.data for one in both.probes(back=back).probes]
        assert {b"\x0a\x03\x01\x02\x00", b"\x08\x01\x08\x02\x08\x00", b"\x08\x01\x0a\x02\x02\x00"} <= set(sent)


def test_what_is_new_to_the_receivers_required_fields_is_filled_elsewhere(pair: Load) -> None:
    """
    A field that is required by the receiver alone is missing in a probe of its own only, lest it hides all others.
    """
    header = f"{PROTO2} message M {{ optional int64 a = 1;"
    both = pair(f"{header} optional int32 b = 2; }}", f"{PROTO2} message M {{ optional int32 a = 1; required int32 b = 2; }}")
    missing = [one for one in both.meanings() if 2 not in one.fields]
    assert missing == [Meaning({}, [])]


@pytest.mark.parametrize(
    "field",
    ["google.protobuf.Any a = 1;", "repeated google.protobuf.Any a = 1;", "map<int32, google.protobuf.Any> a = 1;"],
)
def test_an_any_holds_a_type_that_the_receiver_does_not_know(pair: Load, field: str) -> None:
    """
    What one version alone declares can only be in an Any of its own.
    """
    message = f"{ANY} message M {{ {field} oneof o {{ google.protobuf.Any b = 2; }} string c = 3; }}"
    both = pair(f"{message} message Gone {{ int32 x = 1; }}", message)
    held = [meaning(both.old.of("t.M"), one.data) for one in both.probes(held=["t.Gone"]).probes if b"t.Gone" in one.data]
    assert [{*one.fields} for one in held] == [{1}, {2}]
    assert not any(b"t.Gone" in one.data for one in both.probes().probes)


def test_nothing_but_the_least_is_sent_of_a_type_that_is_unchanged(pair: Load) -> None:
    """
    Unless everything is to be run.
    """
    both = pair(message("int64 a = 1;"), message("int64 a = 1;"))
    assert [one.data for one in both.probes().probes] == [b""]
    assert len(both.probes(everything=True).probes) > 10


def test_everything_holds_nothing_in_which_anything_has_changed(pair: Load) -> None:
    """
    A message that is refused for a change shows nothing of the fields beside it.
    """
    text = "message M {{ int32 a = 1; {} b = 2; N n = 3; M m = 4; R r = 5; }} message N {{ R r = 1; }} message R {{ {} c = 1; }}"
    both = pair(text.format("int32", "string"), text.format("int32", "bytes"))
    added = both.probes(everything=True).probes[len(both.probes().probes) :]
    sent = [meaning(both.old.of("t.M"), one.data).fields for one in added]
    assert {number for fields in sent for number in fields} == {1, 2}
    assert {(1 << 31) - 1, -(1 << 31)} <= {fields.get(1) for fields in sent}


def test_a_type_without_any_message_has_no_probes(pair: Load) -> None:
    """
    A message that requires one of its own type cannot exist.
    """
    both = pair(f"{PROTO2} message M {{ required M m = 1; optional int32 a = 2; }}", f"{PROTO2} message M {{ required M m = 1; }}")
    assert both.probes() == Probes((), 0)


def test_their_number_is_limited_and_what_is_cut_is_told(pair: Load) -> None:
    """
    Of an enum with very many changed values not all are sent; of a type with very many changed fields each has one.
    """
    values = " ".join(f"V{number} = {number};" for number in range(500))
    enums = pair(message("C a = 1;", f"enum C {{ {values} }}"), message("C a = 1;", "enum C { V0 = 0; }")).probes()
    assert len(enums.probes) == MOST_OF_A_FIELD + 1
    assert enums.cut > 400
    fields = " ".join(f"int64 f{number} = {number};" for number in range(1, 1001))
    wide = pair(message(fields), message(fields.replace("int64", "int32"))).probes()
    assert {one.field for one in wide.probes} == {*range(1001)}
    assert len(wide.probes) == 1001 > MOST_OF_A_TYPE
    assert wide.cut > 0


# -- any edit ----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1 << 32))
def test_probes_of_any_edit_are_messages_of_their_sender(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """
    The sender's version reads all of each probe, nothing in it is undeclared, and it is the same when made again.
    """
    chance = random.Random(seed)
    both = Pair(tmp_path_factory.mktemp("edit"), *any_edit(chance))
    for back in (False, True):
        sender = (both.new if back else both.old).of("t.M")
        made = both.probes(back=back)
        assert made == both.probes(back=back)
        for one in made.probes:
            said = meaning(sender, one.data)
            assert said.unknown == []
            assert complete(sender, said) is not one.malformed
            assert one.field == 0 or one.field in sender.fields


# -- RPCs that hold what has changed -----------------------------------------------------------------------------------


def test_covering_sets_every_changed_field_and_the_way_to_it(pair: Load) -> None:
    """
    Two changed fields, of which one lies within, are set; what has not changed is not.
    """
    text = "message M {{ string same = 1; repeated N n = 2; {} a = 3; }} message N {{ int32 alike = 1; {} b = 2; N again = 3; }}"
    both = pair(text.format("int32", "string"), text.format("int64", "bytes"))
    shape = both.old.of("t.M")
    found = [meaning(shape, data) for data in both.covering()]
    assert found == [Meaning({2: [Meaning({2: b"b 1"}, [])], 3: 1}, [])]


def test_covering_sets_the_arms_of_a_oneof_one_after_the_other(pair: Load) -> None:
    """
    What cannot stand in one message stands in several.
    """
    text = "message M {{ oneof o {{ {0} a = 1; {0} b = 2; }} }}"
    both = pair(text.format("int32"), text.format("int64"))
    assert len(both.covering()) == 2


def test_covering_fills_what_is_required(pair: Load) -> None:
    """
    On the way to what has changed too.
    """
    text = "{} message M {{ {} int32 a = 1; optional N n = 2; }} message N {{ optional {} b = 1; }}"
    both = pair(text.format(PROTO2, "required", "string"), text.format(PROTO2, "required", "bytes"))
    assert both.covering() == [b"\x08\x01\x12\x05\x0a\x03b 1"]


def test_covering_has_nothing_to_send_where_nothing_differs(pair: Load) -> None:
    """
    Nor does a type that holds itself keep it from coming to an end.
    """
    both = pair(message("int32 a = 1; M m = 2;"), message("int32 a = 1; M m = 2;"))
    assert both.covering() == []


# -- ProtoJSON ---------------------------------------------------------------------------------------------------------

JSON = """message M { int64 big_number = 1; C colour = 2; repeated C more_colours = 3; map<string, C> named = 4; M inner_one = 5;
double d = 6; }
enum C { option allow_alias = true; NONE = 0; RED = 1; ROUGE = 1; ROT = 1; GREEN = 2; }"""


@pytest.fixture
def texts(pair: Load) -> Callable[[str], dict[str, str]]:
    shape = pair(JSON, JSON).old.of("t.M")
    return lambda written: {one.what: one.text for one in json_texts(shape, written)}


def test_every_alias_of_an_enum_is_written(texts: Callable[[str], dict[str, str]]) -> None:
    """
    Wherever an enum stands, each other name of its number takes its turn; what has no other name keeps its own.
    """
    found = texts('{"colour": "RED", "moreColours": ["GREEN", "ROUGE"], "named": {"RED": "ROT"}, "innerOne": {"colour": "RED"}}')
    assert found["enums by alias 1"] == (
        '{"colour":"ROUGE","moreColours":["GREEN","RED"],"named":{"RED":"RED"},"innerOne":{"colour":"ROUGE"}}'
    )
    assert "ROT" in found["enums by alias 2"]
    assert "enums by alias 3" not in found


def test_fields_keep_their_names_and_what_nobody_declares_stays(texts: Callable[[str], dict[str, str]]) -> None:
    """
    Writers use JSON names and the names of enums, unless they are told otherwise.
    """
    found = texts('{"moreColours": ["ROT", 7, "UNHEARD"], "innerOne": {"bigNumber": "9007199254740993"}, "unheard": 1.50}')
    assert found["enums by alias 1"] == ('{"moreColours":["RED",7,"UNHEARD"],"innerOne":{"bigNumber":"9007199254740993"},"unheard":1.50}')


def test_fields_go_by_their_own_names_if_that_is_asked(pair: Load) -> None:
    """
    At every depth, with every alias; keys of maps and what stands in a well-known type's form are no names of fields.
    """
    shape = pair(JSON, JSON).old.of("t.M")
    written = '{"moreColours": ["RED"], "innerOne": {"bigNumber": "1"}, "named": {"innerOne": "GREEN"}, "unheardOf": 1}'
    found = {one.what: one.text for one in json_texts(shape, written, by_proto_names=True)}
    assert found == {
        "fields by their own names": '{"more_colours":["RED"],"inner_one":{"big_number":"1"},"named":{"innerOne":"GREEN"},"unheardOf":1}',
        "enums by alias 1": '{"more_colours":["ROUGE"],"inner_one":{"big_number":"1"},"named":{"innerOne":"GREEN"},"unheardOf":1}',
        "enums by alias 2": '{"more_colours":["ROT"],"inner_one":{"big_number":"1"},"named":{"innerOne":"GREEN"},"unheardOf":1}',
    }


def test_what_the_writer_wrote_comes_first_and_no_text_says_nothing_new(texts: Callable[[str], dict[str, str]]) -> None:
    """
    Its very text; and no variant where there is nothing to vary, numbers as precise as they were.
    """
    assert texts('{ "d": 1e-7, "colour": "GREEN" }') == {"": '{ "d": 1e-7, "colour": "GREEN" }'}
