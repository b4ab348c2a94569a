"""What is played again for the sake of a failure: nothing, where it is expected."""

from __future__ import annotations

import pytest

from grpc_interop.core.case import Case, Finish, Kind, Method, Receive, ReceiveToEnd, Send
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Outcome, Pair, Verdict
from grpc_interop.engine.jobs import Job, Preparer
from grpc_interop.engine.triage.reruns import Reruns

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
