"""Servers and channels with options of their own: each is ready or refused by itself, and concerns only the cases that need it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from grpc_interop.check_driver.greeter import ALL_STREAM, SAY_HELLO, exchange
from grpc_interop.core.case import Case
from grpc_interop.core.endpoint import Endpoint
from grpc_interop.core.verdict import Outcome, Verdict
from grpc_interop.drivers import resources

LIMITED = Endpoint(max_receive_bytes=1_000)


def plain() -> list[Case]:
    return [exchange(f"plain_{number}", SAY_HELLO) for number in range(20)]


def limited(**endpoints: Endpoint) -> list[Case]:
    cases = [exchange("one", SAY_HELLO), exchange("many", ALL_STREAM, requests=3, answers=3)]
    return [replace(case, **(endpoints or {"server_endpoint": LIMITED})) for case in cases]


def is_plain(verdict: Verdict) -> bool:
    return verdict.case.name.startswith("plain")


@pytest.mark.parametrize("side", ["client_endpoint", "server_endpoint"])
def test_both_sides_have_the_endpoint_of_the_case(play, side: str) -> None:
    """A message of the harness' greeter is over a limit of one byte, so the call ends at the side that has it."""
    (case, _) = limited(**{side: Endpoint(max_receive_bytes=1)})
    play.enqueue("good:good", [case])
    (verdict,) = play.to_the_end()
    assert (verdict.outcome, verdict.difference) == (Outcome.PASSED, None)


def test_a_server_that_starts_late_holds_no_plain_case(play) -> None:
    play.add("late", fault="serves_limits_late")
    # Those that wait for the server are the first of the queue.
    play.enqueue("good:late", [*limited(), *plain()])
    verdicts = play.to_the_end()
    assert {verdict.outcome for verdict in verdicts} == {Outcome.PASSED}
    assert [is_plain(verdict) for verdict in verdicts] == [True] * 20 + [False] * 2


def assert_only_limited_cases_fail(verdicts: list[Verdict], what: str) -> None:
    assert {verdict.outcome for verdict in verdicts if is_plain(verdict)} == {Outcome.PASSED}
    failed = [verdict for verdict in verdicts if not is_plain(verdict)]
    assert [verdict.outcome for verdict in failed] == [Outcome.FAILED] * 2
    assert {verdict.difference.what for verdict in failed if verdict.difference} == {what}


def test_a_server_that_is_refused_fails_only_its_cases(play) -> None:
    play.add("bad", fault="refuses_limits")
    play.enqueue("good:bad", [*limited(), *plain()])
    verdicts = play.to_the_end()
    assert_only_limited_cases_fail(verdicts, "the bad server has no server with max_receive_bytes = 1,000: out of limits")
    assert play.engine.incidents == []


def test_a_server_that_is_never_ready_fails_only_its_cases(play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "READY_SECONDS", 1.0)
    play.add("late", fault="serves_limits_late")
    play.enqueue("good:late", [*limited(), *plain()])
    what = "the late server has no server with max_receive_bytes = 1,000: it was not ready within 1 s"
    assert_only_limited_cases_fail(play.to_the_end(), what)


def test_a_case_needs_the_capabilities_of_its_endpoints(play) -> None:
    (case, _) = limited(client_endpoint=LIMITED)
    prepared = play.engine.preparer.prepare(case)
    assert (prepared.client_needs, prepared.server_needs) == ({"max_receive_bytes"}, set())


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many servers and channels the drivers were told to make."""
    made: list[str] = []
    make = resources.Resources._make

    def counting(self, what, *args):
        made.append(what)
        return make(self, what, *args)

    monkeypatch.setattr(resources.Resources, "_make", counting)
    return lambda: len(made)


def test_cases_with_equal_endpoints_share_their_server_and_channel(play, ordered: Callable[[], int]) -> None:
    play.enqueue("good:good", [*limited(), *limited(), *plain()])
    assert {verdict.outcome for verdict in play.to_the_end()} == {Outcome.PASSED}
    # A plain server and one with a limit, and a channel to each.
    assert ordered() == 4
