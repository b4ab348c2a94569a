"""Results of comparisons, made up: what is tested with them is how they are shown."""

from dataclasses import replace

from grpc_interop.compat.vocabulary.observation import Deployment, ElementOutcome, Flow, Format, MessageRole
from grpc_interop.compat.vocabulary.result import (
    Acceptance,
    Alarm,
    BaseComparison,
    ChangeFinding,
    ChangeVerdict,
    ComparedSide,
    EffectSummary,
    ExchangeExample,
    NotCompared,
    Result,
    SourceLocation,
    TranscriptRow,
)

BASE, HEAD = ComparedSide("base", "origin/main, merge base 1234abc"), ComparedSide("head", "working tree")
FOUR = ("go:go", "go:py", "py:go", "py:py")
FILE = "shop/v1/order.proto"


def observed(outcome: ElementOutcome, pairs: tuple[str, ...] = FOUR, *, flow: Flow = Flow.NEW_TO_OLD, **more: object) -> EffectSummary:
    given = {"role": MessageRole.REQUEST, "format": Format.BINARY, "deployments": (Deployment.CLIENTS_FIRST,)} | more
    return EffectSummary(flow, outcome=outcome, pairs=pairs, **given)  # type: ignore[arg-type]


NARROWED = ChangeFinding(
    "shop.v1.Order.total",
    ("type int64 -> int32",),
    ChangeVerdict.BREAK,
    subject="field",
    base=SourceLocation(FILE, 9, f"proto/{FILE}"),
    head=SourceLocation(FILE, 12, f"proto/{FILE}"),
    before="int64 total = 3",
    after="int32 total = 3",
    observed=(
        observed(
            ElementOutcome.ALTERED,
            flow=Flow.OLD_TO_NEW,
            deployments=(Deployment.SERVERS_FIRST,),
            sent="2147483648",
            received="-2147483648",
            why="the value does not fit into int32",
            breaks=True,
        ),
        observed(ElementOutcome.PRESERVED),
    ),
    example=ExchangeExample(
        "one above the largest int32",
        "total: 2147483648",
        "total: -2147483648",
        "client py@base",
        "server go@head",
        (TranscriptRow("send total: 2147483648", "->", "received total: -2147483648"), TranscriptRow("OK", "<-", "finish OK")),
        "ic1:eJyrVkrOz0nV",
    ),
    static=(
        Alarm("FIELD_SAME_TYPE", ("FILE", "PACKAGE"), "changed type"),
        Alarm("FIELD_WIRE_JSON_COMPATIBLE_TYPE", ("WIRE_JSON",), "changed type"),
    ),
)
REQUIRED = ChangeFinding(
    "shop.v1.Item.name",
    ("no longer required",),
    ChangeVerdict.BREAK,
    subject="field",
    head=SourceLocation(FILE, 30, f"proto/{FILE}"),
    observed=(
        observed(
            ElementOutcome.REJECTED,
            ("go:go", "py:go"),
            role=MessageRole.MESSAGE,
            deployments=(Deployment.WRITERS_FIRST,),
            sent="(not set)",
            breaks=True,
        ),
        observed(ElementOutcome.PRESERVED, ("go:py", "py:py"), role=MessageRole.MESSAGE),
    ),
    example=ExchangeExample("a message without it", "(empty)", "proto: required field shop.v1.Item.name not set"),
)
GONE = ChangeFinding(
    "shop.v1.Shop/Watch",
    ("removed",),
    ChangeVerdict.ACCEPTED,
    subject="rpc",
    base=SourceLocation(FILE, 50, f"proto/{FILE}"),
    before="rpc Watch (shop.v1.Order) returns (stream shop.v1.Order)",
    observed=(
        observed(ElementOutcome.REMOVED, flow=Flow.OLD_TO_NEW, why="UNIMPLEMENTED", deployments=(Deployment.SERVERS_FIRST,), breaks=True),
    ),
    static=(Alarm("RPC_NO_DELETE", ("FILE", "PACKAGE"), "deleted"),),
    accepted=Acceptance("interop.accepted.toml:3", "nobody calls it any more", "2026-12-31"),
)
ADDED = ChangeFinding(
    "shop.v1.Order.note",
    ("added",),
    ChangeVerdict.NOTE,
    subject="field",
    head=SourceLocation(FILE, 14, f"proto/{FILE}"),
    after="string note = 9",
    observed=(observed(ElementOutcome.IGNORED, why="the old version does not know it"),),
    notes=("deploy servers first",),
)
HARMLESS = ChangeFinding(
    "shop.v1.Order.code",
    ("now in oneof key",),
    ChangeVerdict.OK,
    subject="field",
    head=SourceLocation(FILE, 16, f"proto/{FILE}"),
    observed=(observed(ElementOutcome.PRESERVED), observed(ElementOutcome.PRESERVED, flow=Flow.OLD_TO_NEW)),
    static=(Alarm("FIELD_SAME_ONEOF", ("FILE", "PACKAGE", "WIRE_JSON", "WIRE"), "moved"),),
)
COMPARISON = BaseComparison(
    BASE,
    (ADDED, NARROWED, GONE, HARMLESS, REQUIRED),
    {"servers first": False, "clients first": True, "writers first": False},
    {"RPC": 132, "message": 310},
    (NotCompared("java", "no JDK found"),),
    ("interop.accepted.toml:9: shop.v1.Cart.id does not break any more: delete the entry",),
)
RESULT = Result(HEAD, "both", (COMPARISON,), 12.34, 1240, 1)
NOTHING = Result(HEAD, "both", (BaseComparison(BASE, untouched={"RPC": 134, "message": 315}),), 0.4)
TWO_BASES = replace(
    RESULT,
    comparisons=(
        COMPARISON,
        BaseComparison(
            ComparedSide("base 2", "v1.2.0"), (NARROWED,), {"servers first": True, "clients first": False}, static="buf is not installed"
        ),
    ),
)


def many(count: int) -> Result:
    """A result with so many breaks, and as many notes."""
    breaks = tuple(replace(NARROWED, element=f"shop.v1.Order.f{number}") for number in range(count))
    notes = tuple(replace(ADDED, element=f"shop.v1.Order.n{number}", notes=(f"note {number}",)) for number in range(count))
    return replace(RESULT, comparisons=(replace(COMPARISON, findings=(*notes, *breaks)),))
