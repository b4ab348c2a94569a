"""Deadlines that a machine was too busy for: shown by the transcripts' own times, and played again; nothing else is."""

import re

import pytest

from grpc_interop.check_driver.greeter import ALL_STREAM, case, text
from grpc_interop.core.case import Case, Finish, Receive, ReceiveToEnd, Send, Status, WaitForTermination
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, TERMINATED, ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import Difference, Outcome, Pair, Verdict
from grpc_interop.engine.jobs import Job, Preparer
from grpc_interop.engine.triage.reruns import MOST_STRETCHES, STRETCH, Reruns

DEADLINE_US = 1_000_000


def deadline(timeout_us: int = DEADLINE_US) -> Case:
    """A round trip, and then nothing until the deadline."""
    client = (Send(text("ping")), Receive(), ReceiveToEnd())
    server = (Receive(), Send(text("pong")), WaitForTermination(), Finish())
    return case("deadline", ALL_STREAM, client, server, timeout_us=timeout_us)


def test_a_server_that_stood_still_until_the_deadline_is_given_a_longer_one(play):
    play.add("busy", fault="stops_for_a_while", play="1")
    verdicts = play.run("good:busy", [deadline()])
    (verdict,) = verdicts.values()
    assert (verdict.outcome, verdict.case.timeout_us) == (Outcome.PASSED, STRETCH * DEADLINE_US)
    (note,) = verdict.notes
    assert "of its deadline of 1 s were gone" in note
    assert play.engine.stretched == 1


@pytest.mark.parametrize(
    ("pair", "fault", "what"),
    [
        ("good:bad", "drops_the_last_message", "the client saw the end after 0 of 1 messages"),
        ("bad:good", "drops_the_last_request", r"the server (saw the end|was terminated) after 0 of 1 messages"),
        ("bad:good", "halves_the_deadline", "the RPC ended at the client before its deadline"),
    ],
)
def test_a_driver_that_was_quick_enough_and_wrong_fails(play, pair, fault, what):
    """Its own times say that nothing was late."""
    play.add("bad", fault=fault)
    (verdict,) = play.run(pair, [deadline()]).values()
    assert (verdict.outcome, verdict.case.timeout_us) == (Outcome.FAILED, DEADLINE_US)
    assert re.fullmatch(what, verdict.difference.what)
    assert play.engine.stretched == 0


class TestAgain:
    """What is played again, and how often."""

    def late(self, timeout_us: int) -> Verdict:
        """The server began when the deadline was over."""
        client = ClientTranscript(((END,),), (), Status(4, None), timeout_us, began_us=1, done_us=((1, timeout_us, timeout_us),))
        server = ServerTranscript(True, ((TERMINATED,),), (), 0, began_us=1 + timeout_us, done_us=((1, 2, 3, 4),))
        return Verdict(
            deadline(timeout_us), Pair("a", "b"), Outcome.FAILED, difference=Difference(Side.CLIENT, "?"), client=client, server=server
        )

    def finish(self, **job: object) -> tuple[Reruns, list[Job]]:
        reruns = Reruns(Preparer().prepare, lambda _type, _message: (), lambda _: False)
        verdict = self.late(DEADLINE_US)
        reruns.finish(Job(Preparer().prepare(verdict.rpc_case), verdict.pair, **job), verdict, whole=True)
        return reruns, reruns.take_again()

    def test_it_is_played_beside_others_as_before(self):
        reruns, (again,) = self.finish()
        assert (again.isolated, again.stretched, again.prepared.rpc_case.timeout_us) == (False, 1, STRETCH * DEADLINE_US)
        assert not reruns.isolated
        assert not reruns.final

    def test_it_is_played_alone_where_it_was_alone(self):
        reruns, again = self.finish(isolated=True)
        assert not again
        assert reruns.isolated[0].stretched == 1

    def test_not_for_ever(self):
        reruns, again = self.finish(stretched=MOST_STRETCHES, isolated=True)
        assert not again
        (verdict,) = reruns.take_final()
        assert verdict.outcome is Outcome.FAILED
