"""The `limits` suite: messages of exactly the sizes around a limit, in every kind and both directions, and what is promised of them."""

from collections import Counter
from pathlib import Path

import pytest

from grpc_interop.core.case import Case, Kind, Send, steps
from grpc_interop.core.model import RESOURCE_EXHAUSTED, model
from grpc_interop.core.side import Side
from grpc_interop.core.tags import tags_of
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites import SUITES
from grpc_interop.suites.limits import LIMIT, SIZES
from grpc_interop.suites.protocol import SuiteOptions

ROOT = Path(__file__).parents[2]
NASTY = Path(__file__).parent / "nasty"


def cases_of(root: Path, cache: Path) -> list[Case]:
    return [case for case in SUITES["limits"].cases(Catalog.load([root], [], cache), SuiteOptions()) if isinstance(case, Case)]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """The cases of the quick-start service, which has one RPC of each kind."""
    return cases_of(ROOT / "proto", tmp_path_factory.mktemp("cache"))


def largest(case: Case) -> int:
    """The size of the largest message that the case sends."""
    return max(len(step.message) for step in (*steps(case.client), *steps(case.server)) if isinstance(step, Send))


def test_every_kind_and_direction_has_every_size_wherever_it_may_come(cases: list[Case]) -> None:
    """A single message comes first; of a stream also the second of three, and in both directions one after a round trip."""
    assert len({case.id for case in cases}) == len(cases)
    assert Counter((case.method.kind, largest(case)) for case in cases) == {
        (kind, size): count
        for kind, count in zip(Kind, (2, 3, 3, 6), strict=True)  # the kinds in their order: unary first, bidi last
        for size in SIZES
    }


def test_one_side_has_the_limit_and_the_name_says_which(cases: list[Case]) -> None:
    for case in cases:
        limits = {side: end.max_receive_bytes for side, end in ((Side.CLIENT, case.client_endpoint), (Side.SERVER, case.server_endpoint))}
        (side,) = [side for side, limit in limits.items() if limit == LIMIT]
        assert limits[side.other] is None
        assert case.name.startswith(f"{side}_receives_{largest(case)}_")


def test_what_fits_is_ordinary_and_what_does_not_ends_the_call(cases: list[Case]) -> None:
    for case in cases:
        codes = {pair.client.status.code for pair in model(case)}
        assert codes == {RESOURCE_EXHAUSTED if largest(case) > LIMIT else 0}, case.id


def test_what_ends_a_stream_of_requests_may_meet_a_send(cases: list[Case]) -> None:
    """As where a server ends early by itself, which one runtime is known for: the same entry covers both."""
    unread = {case.id for case in cases if "unread_at_end" in tags_of(case)}
    over = [case for case in cases if largest(case) > LIMIT and case.server_endpoint.max_receive_bytes]
    assert unread == {case.id for case in over if case.method.kind.client_streams}


def test_any_tree_has_cases_of_the_first_rpc_of_each_kind(tmp_path: Path) -> None:
    """Also where the messages have no text: then what is large is in a field that the type does not declare."""
    cases = cases_of(NASTY, tmp_path)
    assert len({case.method for case in cases}) == len({case.method.kind for case in cases}) == len(Kind)
    assert any("unknown_fields" in case.extra_requires for case in cases)
    for case in cases:
        assert largest(case) in SIZES
        assert model(case), case.id
