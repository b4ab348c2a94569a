"""Samples: numbered, canonical, of the size asked for, whatever the type."""

from pathlib import Path

import pytest

from grpc_interop.schema.catalog import Catalog
from grpc_interop.values.samples import CYCLE, UNKNOWN_FIELDS, Sample, Values

NASTY = Path(__file__).parents[1] / "suites" / "nasty"
ALL_TYPES = ("Nothing", "OnlyFlags", "Required", "Recursive", "Grouped", "Wide")
NUMBERLESS = ("Nothing", "OnlyFlags", "Recursive")
"""Types without a field that could hold a number (the keys of a map do not count)."""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog.load([NASTY], [], tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def values(catalog: Catalog) -> Values:
    return Values(catalog)


def of_all_sorts(values: Values, name: str) -> list[Sample]:
    numbers = range(1, 2 * CYCLE)
    many = [sample(name, number) for number in numbers for sample in (values.full, values.small)]
    return [values.empty(name), values.of_size(name, 3000), *many]


@pytest.mark.parametrize("name", ALL_TYPES)
def test_samples_are_canonical_and_complete(catalog: Catalog, values: Values, name: str) -> None:
    """
    A sample is what protobuf itself would write, and lacks no required field.
    """
    for sample in of_all_sorts(values, f"nasty.{name}"):
        assert catalog.canonical(f"nasty.{name}", sample.data) == sample.data
        assert catalog.parse(f"nasty.{name}", sample.data).IsInitialized()


@pytest.mark.parametrize("name", ALL_TYPES)
def test_samples_with_different_numbers_differ(values: Values, name: str) -> None:
    """
    A sample's number can be told from its bytes, and a small one is small.
    """
    full = {values.full(f"nasty.{name}", number).data for number in range(1, 21)}
    small = {values.small(f"nasty.{name}", number).data for number in range(1, 1001)}
    assert (len(full), len(small)) == (20, 1000)
    assert max(map(len, small)) < 64
    assert max(map(len, full)) < 1024


@pytest.mark.parametrize("name", ALL_TYPES)
def test_only_types_without_room_need_unknown_fields(values: Values, name: str) -> None:
    """
    Only where a type declares nothing that could tell the number is a field used that it does not declare.
    """
    assert (values.small(f"nasty.{name}", 7).requires == UNKNOWN_FIELDS) == (name in NUMBERLESS)


@pytest.mark.parametrize("name", ["OnlyFlags", "Required", "Grouped", "Wide"])
def test_every_field_has_its_turn(catalog: Catalog, values: Values, name: str) -> None:
    """
    Over a cycle of successive numbers every field is set at least once.
    """
    seen = set()
    for number in range(1, CYCLE + 1):
        message = catalog.parse(f"nasty.{name}", values.full(f"nasty.{name}", number).data)
        seen |= {field.name for field, _ in message.ListFields()}
    assert seen >= {field.name for field in catalog.message(f"nasty.{name}").fields}


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 130, 131, 16_384, 16_387, 1 << 20])
def test_sizes_fit(values: Values, size: int) -> None:
    """
    A message of a size is at most that long, and at most two bytes shorter, unless the size holds no text at all.
    """
    assert size - 2 <= len(values.of_size("nasty.Wide", size).data) <= max(size, 6)


def test_a_message_that_cannot_exist_is_left_incomplete(catalog: Catalog, values: Values) -> None:
    """
    Of a type that requires itself, samples end nevertheless.
    """
    assert not catalog.parse("nasty.Impossible", values.full("nasty.Impossible", 1).data).IsInitialized()
