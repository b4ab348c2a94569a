"""What observations mean: breaks, notes and orders of deployment."""

import pytest

from grpc_interop.compat.diff.changes import Change, Edit, Subject
from grpc_interop.compat.judge.guarantee import Guarantee, Judgement, judge, rollout
from grpc_interop.compat.vocabulary.observation import (
    Effect,
    ElementOutcome,
    Exchange,
    Flow,
    Format,
    MessageRole,
    ObservedEffect,
    OutcomeCause,
)
from grpc_interop.compat.vocabulary.result import ChangeVerdict

OLD, NEW = Flow.OLD_TO_NEW, Flow.NEW_TO_OLD
BINARY, JSON, STRICT = Format.BINARY, Format.JSON, Format.STRICT_JSON
FIELD, VALUE, RPC = Subject.FIELD, Subject.VALUE, Subject.RPC
ADDED, REMOVED, CHANGED = Edit


def change(edit: Edit = CHANGED, subject: Subject = FIELD, **more: object) -> Change:
    return Change("t.M.a", subject, edit, (edit.value,), **more)  # type: ignore[arg-type]


def observed(
    outcome: ElementOutcome,
    flow: Flow = OLD,
    carried: Format = BINARY,
    cause: OutcomeCause = OutcomeCause.VALUE,
    *,
    role: MessageRole = MessageRole.REQUEST,
    pair: str = "py:go",
    sent: str = "",
) -> ObservedEffect:
    return ObservedEffect(Exchange(flow, role, carried, pair), Effect("t.M.a", outcome, cause, "because", sent))


def judged(of: Change, *observations: ObservedEffect, guarantee: Guarantee = Guarantee.BOTH) -> Judgement:
    (judgement,) = judge([of], observations, guarantee)
    return judgement


class TestBreaks:
    @pytest.mark.parametrize("outcome", [ElementOutcome.LOST, ElementOutcome.ALTERED, ElementOutcome.REJECTED])
    @pytest.mark.parametrize("flow", Flow)
    @pytest.mark.parametrize("edit", [CHANGED, REMOVED])
    def test_whatever_the_base_declares_and_does_not_arrive_breaks(self, outcome: ElementOutcome, flow: Flow, edit: Edit) -> None:
        assert judged(change(edit), observed(outcome, flow)).verdict is ChangeVerdict.BREAK

    @pytest.mark.parametrize("outcome", [ElementOutcome.REMOVED, ElementOutcome.KIND_CHANGED])
    @pytest.mark.parametrize("guarantee", Guarantee)
    def test_an_rpc_that_is_gone_or_of_another_kind_breaks_in_every_format(self, outcome: ElementOutcome, guarantee: Guarantee) -> None:
        assert judged(change(REMOVED, RPC), observed(outcome), guarantee=guarantee).verdict is ChangeVerdict.BREAK

    @pytest.mark.parametrize("outcome", [ElementOutcome.IGNORED, ElementOutcome.LOST, ElementOutcome.ALTERED, ElementOutcome.REJECTED])
    def test_what_head_adds_is_never_broken_by_readers_that_do_not_know_it(self, outcome: ElementOutcome) -> None:
        assert judged(change(ADDED), observed(outcome, NEW)).verdict is ChangeVerdict.NOTE

    def test_an_addition_without_which_old_messages_are_refused_breaks(self) -> None:
        assert judged(change(ADDED), observed(ElementOutcome.REJECTED, OLD, cause=OutcomeCause.REQUIRED)).verdict is ChangeVerdict.BREAK

    def test_a_removed_field_is_a_note(self) -> None:
        judgement = judged(change(REMOVED, notes=("not reserved",)), observed(ElementOutcome.IGNORED, OLD, cause=OutcomeCause.KEPT))
        assert (judgement.verdict, judgement.notes) == (ChangeVerdict.NOTE, ("not reserved", "new readers ignore it"))

    @pytest.mark.parametrize("guarantee", Guarantee)
    def test_a_removed_message_is_a_note_even_where_an_any_that_holds_it_is_refused(self, guarantee: Guarantee) -> None:
        refused = [observed(ElementOutcome.REJECTED, OLD, carried, OutcomeCause.UNKNOWN) for carried in (JSON, STRICT)]
        assert judged(change(REMOVED, Subject.MESSAGE), *refused, guarantee=guarantee).verdict is ChangeVerdict.NOTE

    @pytest.mark.parametrize(
        ("carried", "cause", "expected"),
        [
            (BINARY, OutcomeCause.KEPT, ChangeVerdict.NOTE),
            (BINARY, OutcomeCause.UNKNOWN, ChangeVerdict.BREAK),
            (JSON, OutcomeCause.UNKNOWN, ChangeVerdict.BREAK),
        ],
    )
    def test_a_removed_enum_value_breaks_where_the_enum_is_closed_and_in_json(
        self, carried: Format, cause: OutcomeCause, expected: ChangeVerdict
    ) -> None:
        assert judged(change(REMOVED, VALUE), observed(ElementOutcome.IGNORED, OLD, carried, cause)).verdict is expected

    def test_an_added_enum_value_is_a_note_even_where_the_enum_is_closed(self) -> None:
        assert (
            judged(change(ADDED, VALUE), observed(ElementOutcome.IGNORED, NEW, BINARY, OutcomeCause.UNKNOWN)).verdict is ChangeVerdict.NOTE
        )

    @pytest.mark.parametrize(("flow", "expected"), [(OLD, ChangeVerdict.BREAK), (NEW, ChangeVerdict.NOTE)])
    def test_presence_is_promised_only_where_the_base_has_it(self, flow: Flow, expected: ChangeVerdict) -> None:
        assert judged(change(), observed(ElementOutcome.ALTERED, flow, cause=OutcomeCause.PRESENCE)).verdict is expected

    @pytest.mark.parametrize("outcome", [ElementOutcome.IGNORED, ElementOutcome.REJECTED])
    def test_a_number_that_neither_version_declares_is_a_note(self, outcome: ElementOutcome) -> None:
        assert judged(change(), observed(outcome, OLD, JSON, OutcomeCause.UNDECLARED)).verdict is ChangeVerdict.NOTE

    @pytest.mark.parametrize("outcome", [ElementOutcome.PRESERVED, ElementOutcome.RENAMED])
    def test_what_arrives_is_ok(self, outcome: ElementOutcome) -> None:
        assert judged(change(), observed(outcome), observed(outcome, NEW, JSON)).verdict is ChangeVerdict.OK

    def test_a_value_that_no_field_can_hold_is_judged_by_the_rule(self) -> None:
        assert judged(change(REMOVED, VALUE, ruled=JSON)).verdict is ChangeVerdict.BREAK
        assert judged(change(REMOVED, VALUE, ruled=JSON), guarantee=Guarantee.BINARY).verdict is ChangeVerdict.NOTE
        assert judged(change(ADDED, VALUE)).verdict is ChangeVerdict.NOTE

    def test_what_was_not_observed_is_never_ok(self) -> None:
        judgement = judged(change())
        assert judgement.verdict is ChangeVerdict.NOTE
        assert "not observed" in judgement.notes[0]


class TestGuarantees:
    @pytest.mark.parametrize(
        ("guarantee", "carried", "expected"),
        [
            (Guarantee.BOTH, BINARY, ChangeVerdict.BREAK),
            (Guarantee.BOTH, JSON, ChangeVerdict.BREAK),
            (Guarantee.BOTH, STRICT, ChangeVerdict.NOTE),
            (Guarantee.BINARY, BINARY, ChangeVerdict.BREAK),
            (Guarantee.BINARY, JSON, ChangeVerdict.NOTE),
            (Guarantee.JSON, BINARY, ChangeVerdict.NOTE),
            (Guarantee.JSON, JSON, ChangeVerdict.BREAK),
            (Guarantee.JSON_STRICT, JSON, ChangeVerdict.BREAK),
            (Guarantee.JSON_STRICT, STRICT, ChangeVerdict.BREAK),
        ],
    )
    def test_say_in_which_formats_values_must_arrive(self, guarantee: Guarantee, carried: Format, expected: ChangeVerdict) -> None:
        assert judged(change(), observed(ElementOutcome.REJECTED, OLD, carried), guarantee=guarantee).verdict is expected

    def test_json_strict_counts_additions_that_old_readers_refuse(self) -> None:
        seen = observed(ElementOutcome.REJECTED, NEW, STRICT, OutcomeCause.UNKNOWN)
        assert judged(change(ADDED), seen, guarantee=Guarantee.JSON_STRICT).verdict is ChangeVerdict.BREAK
        judgement = judged(change(ADDED), seen)
        assert judgement.verdict is ChangeVerdict.NOTE
        assert "old readers of JSON that do not skip unknown fields refuse it" in judgement.notes


class TestRows:
    def test_hold_the_pairs_in_which_the_same_happens(self) -> None:
        seen = [
            observed(ElementOutcome.ALTERED, pair="py:go"),
            observed(ElementOutcome.PRESERVED, pair="py:py"),
            observed(ElementOutcome.ALTERED, pair="go:go"),
        ]
        rows = judged(change(), *seen).observed
        assert [(row.outcome, row.pairs, row.breaks) for row in rows] == [
            ("altered", ("go:go", "py:go"), True),
            ("preserved", ("py:py",), False),
        ]

    def test_leave_out_values_that_arrive_where_others_do_not(self) -> None:
        rows = judged(
            change(), observed(ElementOutcome.PRESERVED), observed(ElementOutcome.ALTERED), observed(ElementOutcome.RENAMED)
        ).observed
        assert [row.outcome for row in rows] == ["altered"]

    def test_show_the_first_value_which_is_the_smallest(self) -> None:
        judgement = judged(
            change(), observed(ElementOutcome.PRESERVED), *(observed(ElementOutcome.ALTERED, sent=text) for text in ("5", "50", "500"))
        )
        assert judgement.observed[0].sent == "5"
        assert judgement.example is not None and judgement.example.effect.sent == "5"


class TestNotes:
    @pytest.mark.parametrize(
        ("subject", "roles", "expected"),
        [
            (FIELD, [MessageRole.REQUEST], "a new field: deploy servers first"),
            (FIELD, [MessageRole.RESPONSE], "a new field: deploy clients first"),
            (
                FIELD,
                [MessageRole.REQUEST, MessageRole.RESPONSE],
                "a new field: for requests deploy servers first, for responses deploy clients first",
            ),
            (FIELD, [MessageRole.MESSAGE], "a new field: deploy readers first"),
            (VALUE, [MessageRole.REQUEST], "a new value: deploy servers first"),
        ],
    )
    def test_of_additions_say_what_to_deploy_first(self, subject: Subject, roles: list[MessageRole], expected: str) -> None:
        seen = [observed(ElementOutcome.IGNORED, NEW, role=role, cause=OutcomeCause.KEPT) for role in roles]
        assert judged(change(ADDED, subject), *seen).notes == (expected,)

    def test_of_a_new_rpc_say_so_too(self) -> None:
        assert judged(change(ADDED, RPC), observed(ElementOutcome.ADDED, NEW)).notes == ("a new RPC: deploy servers first",)

    def test_tell_each_thing_once(self) -> None:
        seen = [
            observed(ElementOutcome.ALTERED, NEW, carried, OutcomeCause.PRESENCE, role=role)
            for carried in (BINARY, JSON)
            for role in MessageRole
        ]
        (note,) = judged(change(), *seen[:2], *seen[3:5]).notes
        assert note.startswith("old readers cannot tell it set to zero from not set: for requests deploy servers first")

    @pytest.mark.parametrize(
        ("what", "subject", "expected"),
        [
            (change(REMOVED, Subject.MESSAGE, matters=False), Subject.MESSAGE, ("the message is gone",)),
            (change(CHANGED, matters=False), FIELD, ("changed",)),
            (change(CHANGED, Subject.FILE, matters=False), Subject.FILE, ()),
            (change(ADDED, Subject.MESSAGE, matters=False), Subject.MESSAGE, ()),
        ],
    )
    def test_of_what_no_message_shows_are_what_changed(self, what: Change, subject: Subject, expected: tuple[str, ...]) -> None:
        judgement = judged(what)
        assert (judgement.change.subject, judgement.notes) == (subject, expected)
        assert judgement.verdict is (ChangeVerdict.NOTE if expected else ChangeVerdict.OK)


class TestOthers:
    """Elements that did not change themselves."""

    def test_that_come_out_badly_are_told_after_the_changes(self) -> None:
        bad = observed(ElementOutcome.ALTERED)._replace(effect=Effect("t.M.b", ElementOutcome.ALTERED, OutcomeCause.UNSENT))
        first, second = judge([change()], [bad, observed(ElementOutcome.PRESERVED)], Guarantee.BOTH)
        assert (first.verdict, second.verdict, second.change.element) == (ChangeVerdict.OK, ChangeVerdict.BREAK, "t.M.b")

    def test_that_are_well_are_not_told(self) -> None:
        good = observed(ElementOutcome.PRESERVED)._replace(effect=Effect("t.M.b", ElementOutcome.PRESERVED))
        assert len(judge([change()], [good], Guarantee.BOTH)) == 1


class TestRollout:
    def test_is_broken_by_the_order_in_which_the_message_flows_that_way(self) -> None:
        def of(flow: Flow, role: MessageRole) -> dict[str, bool]:
            return rollout([judged(change(), observed(ElementOutcome.ALTERED, flow, role=role))])

        assert of(OLD, MessageRole.REQUEST) == {"servers first": False, "clients first": True}
        assert of(OLD, MessageRole.RESPONSE) == {"servers first": True, "clients first": False}
        assert of(NEW, MessageRole.REQUEST) == {"servers first": True, "clients first": False}
        assert of(NEW, MessageRole.RESPONSE) == {"servers first": False, "clients first": True}
        assert of(OLD, MessageRole.MESSAGE) == {"readers first": False, "writers first": True}
        assert of(NEW, MessageRole.MESSAGE) == {"readers first": True, "writers first": False}

    def test_is_ok_both_ways_where_nothing_breaks(self) -> None:
        assert rollout([judged(change(ADDED), observed(ElementOutcome.IGNORED, NEW))]) == {"servers first": True, "clients first": True}

    def test_says_nothing_where_nothing_was_exchanged(self) -> None:
        assert rollout([judged(change(matters=False))]) == {}
