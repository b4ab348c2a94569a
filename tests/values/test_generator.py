"""Generated messages: every boundary, any value, the same each time, quick."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpc_interop.core.case import MessageCase
from grpc_interop.messages.examples import Examples
from grpc_interop.schema.catalog import Catalog
from grpc_interop.values import boundaries
from grpc_interop.values.encodings import reencodings
from grpc_interop.values.generator import Generator
from grpc_interop.wire.meaning import Meaning, complete, meaning
from grpc_interop.wire.shapes import Shapes

SUITES = Path(__file__).parents[1] / "suites"
ROOT = Path(__file__).parents[2]
TYPES = ("Nothing", "OnlyFlags", "Required", "Recursive", "Grouped", "Wide")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog.load([ROOT / "proto", SUITES / "nasty", SUITES / "values"], [], tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def generator(catalog: Catalog) -> Generator:
    return Generator(Shapes(catalog))


@pytest.mark.parametrize("name", TYPES)
def test_generated_messages_are_valid(catalog: Catalog, generator: Generator, name: str) -> None:
    """
    The harness' own protobuf reads every generated message, finds nothing required missing and nothing undeclared.
    """
    shape, chance = generator.shapes.of(f"nasty.{name}"), random.Random(name)
    for data in [*generator.boundaries(shape), *(generator.by_chance(shape, chance) for _ in range(50))]:
        assert catalog.parse(shape.name, data).IsInitialized()
        said = meaning(shape, data)
        assert complete(shape, said)
        assert said.unknown == []


def test_every_boundary_of_every_field_occurs(generator: Generator) -> None:
    """
    Over the boundary messages of a type each field has each of its boundaries, the arms of oneofs included.
    """
    shape = generator.shapes.of("nasty.Wide")
    messages = generator.boundaries(shape)
    for field in shape.ordered:
        assert all(any(option in message for message in messages) for option in generator.options(field)), field.name


def test_the_boundaries_of_integers_are_those_of_their_encoding(catalog: Catalog) -> None:
    """
    A varint's boundaries are its least and greatest value, and the last and the first value of each length.
    """
    field = Shapes(catalog).of("interop.driver.v1.Value").fields[2]
    values = boundaries.encoded(field)
    assert {len(value) for value in values} == set(range(1, 11))
    assert len(values) == len(set(values))


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 32), name=st.sampled_from(TYPES))
def test_another_encoding_means_the_same(seed: int, name: str, generator: Generator) -> None:
    """
    However a message is written, it means what it meant.
    """
    shape, chance = generator.shapes.of(f"nasty.{name}"), random.Random(seed)
    data = generator.by_chance(shape, chance)
    for what, changed in reencodings(shape, data, chance):
        assert meaning(shape, changed) == meaning(shape, data), what


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 32), name=st.sampled_from(TYPES))
def test_our_reader_agrees_with_protobuf(seed: int, name: str, catalog: Catalog, generator: Generator) -> None:
    """
    What protobuf writes after reading an odd encoding means what we read in it.
    """
    shape, chance = generator.shapes.of(f"nasty.{name}"), random.Random(seed)
    data = generator.by_chance(shape, chance)
    for what, changed in reencodings(shape, data, chance):
        assert meaning(shape, catalog.canonical(shape.name, changed)) == meaning(shape, data), what


def test_the_same_seed_gives_the_same_examples(catalog: Catalog) -> None:
    """
    A case's examples depend on its type, its name and its seed alone.
    """

    def of(seed: int) -> list[bytes]:
        case = MessageCase("messages", "values", "nasty.Wide", seed=seed)
        return [example.data for example in Examples(Shapes(catalog)).of(case)]

    assert of(1) == of(1)
    assert of(1) != of(2)


def test_random_messages_are_the_same_on_every_machine(generator: Generator) -> None:
    """
    The first random messages of a seed are these, whatever the machine and the version of Python.
    """
    chance = random.Random("1/values/values.Scalars")
    shape = generator.shapes.of("values.Scalars")
    assert [generator.by_chance(shape, chance).hex() for _ in range(3)] == [
        "09000000000000f0ff4df17333305df79a566a7a0d3961fa15153c010b761c475f45",
        "09000000e0ffffef474d02131e6e5100000000000000805d86bc3cbb8001959aef3a",
        "15000080ff1880808080f8ffffffff0138ffff7f40025dc094a96a610100000000002000800100",
    ]


def test_a_type_that_requires_itself_has_no_messages(generator: Generator) -> None:
    """
    Of a type no message of which can exist none is made.
    """
    assert generator.least(generator.shapes.of("nasty.Impossible")) is None


def test_deep_values_are_told_apart() -> None:
    """
    Meanings are compared by value, all the way down.
    """
    assert Meaning({1: Meaning({2: 3}, [])}, []) != Meaning({1: Meaning({2: 4}, [])}, [])


def test_extensions_that_must_be_utf8_have_a_case_of_their_own(tmp_path: Path) -> None:
    """
    Where no feature of the field or its file says that they may be anything.
    """
    (tmp_path / "a.proto").write_text("""edition = "2023"; package a; message A { extensions 100 to 200; string own = 1; }
        extend A { string checked = 100; string any = 101 [features.utf8_validation = NONE]; }""")
    (tmp_path / "b.proto").write_text("""edition = "2023"; package b; import "a.proto"; option features.utf8_validation = NONE;
        extend a.A { string loose = 110; string strict = 111 [features.utf8_validation = VERIFY]; }""")
    (tmp_path / "c.proto").write_text('syntax = "proto2"; package c; import "a.proto"; extend a.A { optional string old = 120; }')
    examples = Examples(Shapes(Catalog.load([tmp_path], [], tmp_path / "cache")))

    def fields(name: str) -> set[str]:
        return {one.what.split()[0] for one in examples.of(MessageCase("messages", name, "a.A"))}

    assert fields("not_utf8_extensions") == {"[a.checked]", "[b.strict]"}
    assert fields("not_utf8") == {"own", "[a.any]", "[b.loose]", "[c.old]"}
