"""The `messages` suite: which cases it yields, and that real implementations agree but for what is known."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from grpc_interop.core.case import MessageCase
from grpc_interop.messages.examples import Examples
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites import SUITES
from grpc_interop.suites.protocol import SuiteOptions
from grpc_interop.values.well_known import MASKS
from grpc_interop.wire.shapes import Shapes

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog.load([HERE / "nasty", HERE / "values"], [], tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def cases(catalog: Catalog) -> list[MessageCase]:
    return [case for case in SUITES["messages"].cases(catalog, SuiteOptions()) if isinstance(case, MessageCase)]


def names_of(cases: list[MessageCase], type_name: str) -> set[str]:
    return {case.name for case in cases if case.type_name == type_name}


def test_every_type_has_cases_under_names_of_their_own(catalog: Catalog, cases: list[MessageCase]) -> None:
    """
    Each message type is carried in binary and as ProtoJSON, except one of which no message can exist.
    """
    assert all(count == 1 for count in Counter(case.id for case in cases).values())
    for type_name in catalog.messages():
        names = names_of(cases, type_name)
        expected = set() if type_name == "nasty.Impossible" else {"values", "unknown_fields", "malformed"}
        assert names >= expected, type_name
        assert len(names & {"json", "json_capitals"}) == bool(expected), type_name
    assert names_of(cases, "nasty.Impossible") == set()


def test_what_languages_differ_in_has_a_name_where_a_type_has_it(cases: list[MessageCase]) -> None:
    """
    A known failure can be named without covering anything else.
    """
    assert names_of(cases, "values.Scalars") >= {"json_float_max", "json_minus_zero", "not_utf8"}
    assert "json_float_max" not in names_of(cases, "values.old.Defaults")
    assert "closed_enums" in names_of(cases, "values.old.Closed")
    assert {"missing_required", "nesting", "nesting_limits"} <= names_of(cases, "values.old.Needs")
    assert "zero_in_empty" in names_of(cases, "nasty.Nothing")
    assert set(MASKS) <= names_of(cases, "values.Masks")
    assert set(MASKS).isdisjoint(names_of(cases, "values.Structs"))
    assert {"json_unset_values", "json_beyond"} <= names_of(cases, "values.Structs")
    assert {"not_utf8", "not_utf8_extensions"} <= names_of(cases, "values.edition.Extended")
    assert "not_utf8_extensions" not in names_of(cases, "values.old.Extended"), "in proto2 a string may be anything"
    assert "json_capitals" in names_of(cases, "values.old.Capitals")
    assert "json_capitals" in names_of(cases, "values.old.Capitals.Holder")
    assert "json" in names_of(cases, "values.old.Defaults")


def test_every_case_has_examples_and_says_what_it_proves(catalog: Catalog, cases: list[MessageCase]) -> None:
    """
    No case passes for want of examples.
    """
    examples = Examples(Shapes(catalog))
    for case in cases:
        assert next(iter(examples.of(case)), None) is not None, case.id
        assert case.why.endswith(".")
        assert case.name.isidentifier()


def test_the_count_is_that_of_random_messages(catalog: Catalog) -> None:
    """
    `--count` asks for so many random messages in each case that has any.
    """
    examples = Examples(Shapes(catalog))

    def number(count: int) -> int:
        return sum(1 for _ in examples.of(MessageCase("messages", "json", "values.Scalars", json=True, count=count)))

    assert number(1000) - number(100) == 900


def test_the_implementations_agree_but_for_what_is_known(tmp_path: Path) -> None:
    """
    On a tree with every kind of field nothing differs that is not a known failure.
    """
    arguments = ["run", "--suite", "messages", "--proto-path", str(HERE / "values"), "--report", str(tmp_path), "-q"]
    pairs = ["--client", "py", "--server", "py"]
    done = subprocess.run(
        [sys.executable, "-m", "grpc_interop.cli", *arguments, *pairs], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = [json.loads(line) for line in (tmp_path / "cases.jsonl").read_text().splitlines()]
    known = Counter(case["id"].split("/")[2].removesuffix("[py:py]") for case in cases if case["outcome"] == "known_failure")
    assert known == {"json_float_max": 3, "json_capitals": 3, "json_null_elements": 2, "json_type_field": 1}
    assert len(cases) > 100
