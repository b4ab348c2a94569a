"""What is played again for the sake of a failure: nothing, where it is expected."""

import pytest

from grpc_interop.core.case import AnyCase, Case, Finish, Kind, Method, Receive, ReceiveToEnd, Send
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Pair, Verdict
from grpc_interop.engine.jobs import PLANNED, Job, Prepared, Preparer
from grpc_interop.engine.shrink.shrinker import RARE, Shrinker, ShrinkStep
from grpc_interop.engine.triage.crash import CrashTriage
from grpc_interop.engine.triage.reruns import IsolationCheck, Reruns

PAIR = Pair("a", "b")
METHOD = Method("p.S", "Say", Kind.UNARY, "p.A", "p.B")


@pytest.mark.parametrize("generated", [False, True], ids=["named", "generated"])
@pytest.mark.parametrize("expected", [False, True], ids=["unexpected", "expected"])
def test_an_expected_failure_is_final_at_once(expected: bool, generated: bool) -> None:
    case = Case("calls", "one", METHOD, ((Send(b""), ReceiveToEnd()),), ((Receive(), Send(b""), Finish()),), generated=generated)
    prepare = Preparer().prepare
    reruns = Reruns(prepare, lambda _type, _message: (), lambda _: expected)
    failed = Verdict(case, PAIR, Outcome.FAILED, difference=Difference(Side.CLIENT, "the client did not receive message 1 of 1"))

    reruns.finish(Job(prepare(case), PAIR), failed, whole=True)

    assert reruns.take_final() == ([failed] if expected else [])
    assert len(reruns.isolated) == (0 if expected else 1)


CASE = Case("calls", "one", METHOD, ((Send(b""), ReceiveToEnd()),), ((Receive(), Send(b""), Finish()),))
FAILED = Verdict(CASE, PAIR, Outcome.FAILED, difference=Difference(Side.CLIENT, "the client did not receive message 1 of 1"))
PASSED = Verdict(CASE, PAIR, Outcome.PASSED)
JOB = Job(Prepared(CASE, (), frozenset(), frozenset()), PAIR)


class TestPurposes:
    """A job's purpose decides which verdicts become final, whatever became of the job."""

    def test_the_verdict_of_a_planned_job_is_final_and_nothing_waits_for_it(self) -> None:
        assert tuple(PLANNED.finished(FAILED)) == tuple(PLANNED.killed(FAILED)) == (FAILED,)
        assert PLANNED.dropped(JOB, "it does not start") is None

    def test_a_check_in_isolation_explains_the_failure_that_it_stands_for(self) -> None:
        check = IsolationCheck(FAILED)
        [interference], [alone] = check.finished(PASSED), check.finished(FAILED._replace(seconds=1))
        assert (interference.outcome, interference.plays) == (Outcome.FAILED, RARE)
        assert interference.notes == ("interference: it fails beside other cases, and passes alone",)
        assert (alone.seconds, alone.notes) == (FAILED.seconds, ("it fails alone as well",))
        killed = FAILED._replace(seconds=2)
        assert tuple(check.killed(killed)) == (killed,)
        assert tuple(check.dropped(JOB, "it does not start")) == (FAILED,)

    def test_the_innocent_of_a_crash_wait_until_all_were_played_again(self) -> None:
        crash = CrashTriage("the b server died", Side.SERVER, in_flight=2, waiting=2)
        assert not crash.finished(PASSED)
        killed, innocent = crash.killed(FAILED)
        assert killed is FAILED
        assert innocent.notes == ("played again alone after the b server died with 2 cases in flight",)

    def test_a_crash_that_no_case_brings_about_alone_is_an_error(self) -> None:
        crash = CrashTriage("the b server died", Side.SERVER, in_flight=1, waiting=1)
        [error] = crash.finished(PASSED)
        assert error.outcome is Outcome.ERROR

    def test_a_crash_after_which_the_driver_does_not_start_ends_the_wait(self) -> None:
        crash = CrashTriage("the b server died", Side.SERVER, in_flight=1, waiting=1)
        [error] = crash.dropped(JOB, "no such file")
        assert error.outcome is Outcome.ERROR
        assert error.difference is not None
        assert error.difference.what == "the b server died, and did not come back: no such file"

    def test_a_step_of_a_search_plays_the_next_case_until_the_search_ends(self) -> None:
        played: list[AnyCase] = []
        step = ShrinkStep(Shrinker(FAILED, lambda _type, _message: ()), lambda case, purpose: played.append(case))
        final = step.finished()
        assert not final
        while not final:
            final = step.killed(FAILED._replace(case=played[-1]))
        [shrunk] = final
        assert shrunk.shrunk
        assert len(played) > 1
        assert step.at_once
        assert tuple(step.dropped(JOB, "it does not start")) == (shrunk,)
