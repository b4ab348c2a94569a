"""What is heard of exchanges, with a player that answers as it is told."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

import pytest

from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.play.building import Builds
from grpc_interop.compat.play.plan_executor import Executed, PlanExecutor
from grpc_interop.compat.play.playing import Call, NotPlayed, Order, PlayedBatch, PlayedCall, Player, PlayResult
from grpc_interop.compat.play.transcoding import BatchExamination, Reading, TranscodeBatch
from grpc_interop.compat.probes.plan import Plan, Planner
from grpc_interop.compat.vocabulary.observation import ElementOutcome, Format, Version
from grpc_interop.core.case import OK, Status
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Refused
from grpc_interop.core.transcript import END, ClientTranscript, ServerTranscript, View
from grpc_interop.core.verdict import Pair
from grpc_interop.wire.shapes import Shapes
from two_versions import compiled

BASE = 'syntax = "proto3"; package t; message M { int64 number = 1; } service S { rpc Do(M) returns (M); }'
HEAD = BASE.replace("int64", "int32")
PAIR = Pair("a", "b")
Answer = Callable[[Order], PlayResult]


class Puppet:
    """In the place of a player."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.orders: list[Order] = []

    def play(self, orders: Iterable[Order]) -> Iterator[tuple[Order, PlayResult]]:
        for order in orders:
            self.orders.append(order)
            yield order, self._answer(order)


class Stage:
    """Two versions, and a plan of what is to be played between them."""

    def __init__(self, folder: Path) -> None:
        catalogs = (compiled(folder / name, {"a.proto": text}) for name, text in (("base", BASE), ("head", HEAD)))
        self.shapes = dict(zip(Version, map(Shapes, catalogs), strict=True))
        self.plan = Planner(MatchedSchemas(*self.shapes.values()), *self.shapes.values()).plan()

    def executed(self, answer: Answer, plan: Plan) -> tuple[Executed, Puppet]:
        puppet = Puppet(answer)
        labels = {version: version.value for version in Version}
        return PlanExecutor(cast(Player, puppet), Builds(), labels, self.shapes).run(plan, [PAIR]), puppet


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def calls(plan: Plan) -> Plan:
    return Plan(plan.rpc_probes, (), (), 0)


def json(plan: Plan) -> Plan:
    return Plan((), plan.message_probes, (), 0)


def views(number: int) -> tuple[View, ...]:
    return (View({1: (number,)}),)


def arrived(number: int) -> PlayedCall:
    """Both directions carry this number, whatever was sent."""
    return PlayedCall(ClientTranscript(((END,),), (), OK, views=views(number)), ServerTranscript(True, ((),), (), views=views(number)))


def refused(code: int, words: str) -> PlayedCall:
    return PlayedCall(ClientTranscript(((END,),), (), Status(code, words)), ServerTranscript(False, (), ()))


def is_control(order: Order) -> bool:
    return order.pair.client.rpartition("@")[2] == order.pair.server.rpartition("@")[2]


def outcomes(executed: Executed) -> set[ElementOutcome]:
    return {one.effect.outcome for one in executed.observations}


class TestControls:
    def test_what_the_writers_own_version_shows_as_well_is_not_the_changes_doing(self, stage: Stage) -> None:
        executed, _ = stage.executed(lambda _: refused(13, "not today"), calls(stage.plan))
        assert outcomes(executed) == set()

    def test_what_it_does_not_show_is(self, stage: Stage) -> None:
        executed, puppet = stage.executed(lambda order: arrived(1) if is_control(order) else refused(13, "not today"), calls(stage.plan))
        assert ElementOutcome.REJECTED in outcomes(executed)
        assert {str(order.pair) for order in puppet.orders} == {"a@base:b@head", "a@head:b@base", "a@base:b@base", "a@head:b@head"}

    def test_one_that_could_not_be_played_acquits_nobody(self, stage: Stage) -> None:
        executed, _ = stage.executed(lambda order: NotPlayed("gone") if is_control(order) else refused(13, "not today"), calls(stage.plan))
        assert ElementOutcome.REJECTED in outcomes(executed)
        assert executed.not_run["the control a@base:b@base"] == "gone"


class TestDeaths:
    def test_a_reader_that_dies_of_a_request_rejects_it(self, stage: Stage) -> None:
        def answer(order: Order) -> PlayedCall:
            return arrived(1) if is_control(order) else PlayedCall(None, None, "the server was killed by SIGSEGV", Side.SERVER)

        executed, _ = stage.executed(answer, calls(stage.plan))
        assert {one.exchange.role.value for one in executed.observations if one.effect.outcome is ElementOutcome.REJECTED} == {"request"}

    def test_a_writer_that_cannot_write_a_message_says_nothing_of_it(self, stage: Stage) -> None:
        plan = calls(stage.plan)
        requests = Plan(tuple(one for one in plan.rpc_probes if one.role.value == "request"), (), (), 0)
        executed, _ = stage.executed(lambda _: PlayedCall(None, None, "the client refused the command: not UTF-8", Side.CLIENT), requests)
        assert (executed.observations, executed.not_run) == ([], {})

    def test_a_reader_that_dies_of_json_rejects_it(self, stage: Stage) -> None:
        """
        Of those messages that it was reading; what was not begun is told.
        """

        def answer(order: Order) -> PlayedBatch:
            assert isinstance(order.what, TranscodeBatch)
            transcoding = BatchExamination(order.what)
            list(transcoding.next_asks())
            if is_control(order):
                transcoding.pending.clear()
            return PlayedBatch(transcoding, "the server was killed by SIGSEGV", Side.SERVER)

        executed, _ = stage.executed(answer, json(stage.plan))
        assert {(one.exchange.format, one.effect.outcome, one.effect.why) for one in executed.observations} == {
            (Format.JSON, ElementOutcome.REJECTED, "the server was killed by SIGSEGV")
        }
        assert set(executed.not_run.values()) == {"the server was killed by SIGSEGV"}

    def test_a_reader_of_either_version_that_dies_of_it_is_not_the_changes_doing(self, stage: Stage) -> None:
        def answer(order: Order) -> PlayedBatch:
            assert isinstance(order.what, TranscodeBatch)
            transcoding = BatchExamination(order.what)
            list(transcoding.next_asks())
            return PlayedBatch(transcoding, "the server was killed by SIGSEGV", Side.SERVER)

        executed, _ = stage.executed(answer, json(stage.plan))
        assert executed.observations == []


class TestWhatIsNotHeard:
    def test_a_pair_that_cannot_play_is_told(self, stage: Stage) -> None:
        executed, _ = stage.executed(lambda _: NotPlayed("the b server does not offer view"), stage.plan)
        assert set(executed.not_run.values()) == {"the b server does not offer view"}
        assert executed.observations == []

    def test_a_response_whose_request_is_refused_is_told(self, stage: Stage) -> None:
        """
        It was never sent, and nothing can be said of it.
        """
        plan = calls(stage.plan)
        responses = Plan(tuple(one for one in plan.rpc_probes if one.role.value == "response"), (), (), 0)
        executed, _ = stage.executed(lambda _: refused(13, "not today"), responses)
        assert executed.observations == []
        assert set(executed.not_run.values()) == {"its request is refused before: INTERNAL not today"}

    def test_no_message_and_yet_success_is_no_pass(self, stage: Stage) -> None:
        """
        A client of one runtime gives its program nothing in place of a response that it cannot read.
        """
        nothing = PlayedCall(ClientTranscript(((END,),), (), OK), ServerTranscript(True, ((),), (), views=views(1)))
        executed, _ = stage.executed(lambda order: arrived(1) if is_control(order) else nothing, calls(stage.plan))
        assert {one.exchange.role.value for one in executed.observations if one.effect.outcome is ElementOutcome.REJECTED} == {"response"}

    def test_a_view_that_is_none_of_the_type_is_no_message(self, stage: Stage) -> None:
        wrong = (View({7: (1,)}),)
        shown = PlayedCall(ClientTranscript(((END,),), (), OK, views=wrong), ServerTranscript(True, ((),), (), views=wrong))
        executed, _ = stage.executed(lambda order: arrived(1) if is_control(order) else shown, calls(stage.plan))
        assert "which t.M does not declare" in " ".join(one.effect.received + one.effect.why for one in executed.observations)


def test_a_message_is_asked_about_in_every_way_it_may_be_written() -> None:
    """
    With zero values and without; strictly only what is taken at all.
    """
    batch = TranscodeBatch("t.M", "t.M", (b"",), json=True)
    transcoding = BatchExamination(batch)
    ((number, ask),) = transcoding.next_asks()
    assert (ask.to_json, ask.emit_zero) == (True, False)
    after = transcoding.answer(number, (Refused("no"),))
    assert after is None
    assert transcoding.readings == {0: [Reading(b"", refused="no")]}


def test_the_plan_has_both_directions_of_what_differs(stage: Stage) -> None:
    assert {(one.role.value, one.flow.value) for one in stage.plan.rpc_probes} == {
        (role, flow) for role in ("request", "response") for flow in ("old to new", "new to old")
    }
    assert all(isinstance(order.what, Call) for order in stage.executed(lambda _: arrived(1), calls(stage.plan))[1].orders)
