"""What is kept for the next who asks."""

from pathlib import Path

from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.byte_lru import OVERHEAD, ByteLru, byte_lru_cache
from grpc_interop.wire.shapes import Shape, Shapes

ROOM = 10 * (OVERHEAD + 1)


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    """
    Values are there until what came or was asked for after them fills the room.
    """
    known: ByteLru[int, str] = ByteLru(ROOM)
    for number in range(10):
        known.put(number, str(number), 1)
    assert known.get(0) == "0"
    known.put(10, "10", 1)
    assert [number for number in range(11) if known.get(number) is None] == [1]


def test_the_bytes_are_bounded_and_not_the_entries() -> None:
    """
    A large value takes the room of many; one that is larger than the room is not kept and drives nothing out.
    """
    known: ByteLru[int, str] = ByteLru(ROOM)
    for number in range(10):
        known.put(number, str(number), 1)
    known.put(10, "large", 3 * OVERHEAD)
    assert sum(known.get(number) is not None for number in range(11)) == 7
    known.put(11, "huge", ROOM)
    assert known.get(11) is None
    assert known.get(10) == "large"


def test_a_value_is_replaced_in_its_place() -> None:
    """
    The room of what is replaced is free again.
    """
    known: ByteLru[int, str] = ByteLru(ROOM)
    for turn in range(100):
        known.put(0, str(turn), OVERHEAD)
        known.put(1, str(turn), 1)
    assert known.get(0) == known.get(1) == "99"


def test_a_function_is_asked_once_for_what_fits(tmp_path: Path) -> None:
    """
    Of a type and a message the result is that of the first time.
    """
    (tmp_path / "a.proto").write_text('syntax = "proto3"; message A {}')
    shape = Shapes(Catalog.load([tmp_path], [], tmp_path / "cache")).of("A")
    asked = []

    def length(shape: Shape, message: bytes) -> int:
        asked.append(message)
        return len(message)

    lengths = byte_lru_cache(length, ROOM)
    assert [lengths(shape, message) for message in (b"a", b"a", b"bc", b"a")] == [1, 1, 2, 1]
    assert asked == [b"a", b"bc"]
