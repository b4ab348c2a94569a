"""Messages that together set every reachable field."""

from pathlib import Path

import pytest

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.reach import branches, tree
from grpc_interop.values.coverage import Coverage
from grpc_interop.values.covering import LIST_BYTES, covering

HEADER = 'edition = "2023"; package t;'


@pytest.fixture
def catalog(tmp_path: Path):
    """A catalog of one file with this text."""

    def load(text: str) -> Catalog:
        (tmp_path / "root").mkdir()
        (tmp_path / "root" / "a.proto").write_text(text if text.startswith("syntax") else f"{HEADER} {text}")
        return Catalog.load([tmp_path / "root"], [], tmp_path / "cache")

    return load


def missing(catalog: Catalog, type_name: str, messages: list[bytes]) -> set[str]:
    """The full names of the fields that no message carries."""
    coverage = Coverage(catalog)
    carried = set().union(*(coverage.carried(type_name, message) for message in messages))
    return {name for key, name in coverage.reachable(type_name).items() if key not in carried}


ANY_TYPE = [
    "message M { int32 a = 1; string b = 2; bytes c = 3; repeated double d = 4; bool e = 5; E f = 6; enum E { ZERO = 0; ONE = 1; } }",
    """message M { M self = 1; repeated M many = 2; map<string, M> named = 3; oneof o { M left = 4; bool right = 5; N n = 6; } }
    message N { M m = 1; int32 x = 2; }""",
    """message M { oneof o { int32 a = 1; A b = 2; A c = 3; } oneof p { int32 d = 4; int32 e = 5; } }
    message A { oneof o { int32 a = 1; int32 b = 2; } }""",
    """message M { repeated A list = 1; } message A { oneof o { int32 a = 1; int32 b = 2; B c = 3; } }
    message B { oneof o { int32 a = 1; int32 b = 2; } }""",
    """message M { map<bool, A> map = 1; map<int32, int32> scalars = 2; }
    message A { oneof o { int32 a = 1; int32 b = 2; int32 c = 3; int32 d = 4; int32 e = 5; } }""",
    "message M { E only = 1 [features.field_presence = IMPLICIT]; enum E { ZERO = 0; } E also = 2; }",
    """syntax = "proto2"; package t; message M {
      optional bool a = 1 [default = true]; optional int32 b = 2 [default = 1]; optional E c = 3; enum E { ONE = 1; TWO = 2; }
      optional F d = 4; enum F { ONLY = 5; } required E e = 6; optional E f = 7 [default = TWO]; optional float g = 8 [default = 1.5];
    }""",
    """syntax = "proto2"; package t; message M {
      required N n = 1; repeated group G = 2 { required N n = 1; optional G again = 2; } extensions 100 to max;
    }
    message N { required int32 x = 1; optional M m = 2; } extend M { optional N more = 100; repeated string texts = 536870911; }""",
]


@pytest.mark.parametrize("text", ANY_TYPE)
def test_every_field_is_set(catalog, text: str) -> None:
    """
    Of whatever type, no reachable field is left at its default, and no message lacks what is required.
    """
    protos = catalog(text)
    messages = covering(protos, "t.M")
    assert missing(protos, "t.M", messages) == set()
    assert all(protos.parse("t.M", message).IsInitialized() for message in messages)
    assert len(set(messages)) == len(messages)


def test_oneofs_within_lists_need_no_further_messages(catalog) -> None:
    """
    The arms of a oneof are elements of one list, where there is one; else they need as many messages.
    """
    protos = catalog(ANY_TYPE[3])
    assert len(covering(protos, "t.M")) == 1
    assert len(covering(protos, "t.A")) == 4


def test_a_type_that_requires_itself_has_no_message(catalog) -> None:
    """
    No message of it can exist, and what could hold one is left without.
    """
    protos = catalog(
        'syntax = "proto2"; package t; message Loop { required Back b = 1; } message Back { required Loop l = 1; }'
        " message M { optional Loop l = 1; optional int32 a = 2; }"
    )
    assert covering(protos, "t.Loop") == []
    (message,) = covering(protos, "t.M")
    assert missing(protos, "t.M", [message]) == {"t.M.l", "t.Loop.b", "t.Back.l"}


def test_what_is_too_deep_is_left_out_and_counted(catalog) -> None:
    """
    Runtimes refuse messages of a hundred levels: what lies deeper is not set, and named as missing.
    """
    chain = " ".join(f"message M{level} {{ M{level + 1} deeper = 1; }}" for level in range(120))
    protos = catalog(f"{chain} message M120 {{ int32 deepest = 1; }}")
    messages = covering(protos, "t.M0")
    assert protos.parse("t.M0", messages[0])
    assert "t.M120.deepest" in missing(protos, "t.M0", messages)
    assert "t.M80.deeper" not in missing(protos, "t.M0", messages)


def test_long_lists_go_on_in_the_next_message(catalog) -> None:
    """
    However many arms there are, no message comes near what runtimes refuse.
    """
    arms = " ".join(f"A{'x' * 60}_{number} arm{number} = {number};" for number in range(1, 1500))
    types = " ".join(f"message A{'x' * 60}_{number} {{ string a_rather_long_name_{'y' * 60} = 1; }}" for number in range(1, 1500))
    protos = catalog(f"message M {{ repeated One list = 1; }} message One {{ oneof o {{ {arms} }} }} {types}")
    messages = covering(protos, "t.M")
    assert len(messages) > 1
    assert max(map(len, messages)) < LIST_BYTES + 1024
    assert missing(protos, "t.M", messages) == set()


def test_each_type_is_reached_by_a_shortest_way(catalog) -> None:
    """
    A type that lies near and far stands in the near place only.
    """
    protos = catalog("message M { A a = 1; B b = 2; } message A { B b = 1; } message B { M m = 1; int32 x = 2; }")
    root = tree(protos, "t.M")
    assert [branch.message.name for branch in branches(root)] == ["M", "A", "B"]
    assert root.onward[1].onward == {}
