"""Results of comparisons, made up: what is tested with them is how they are shown."""

from __future__ import annotations

from dataclasses import replace

from grpc_interop.compat.vocabulary.observation import Deployment, Flow, Format, Outcome, Role
from grpc_interop.compat.vocabulary.result import (
    Acceptance,
    Alarm,
    Comparison,
    Example,
    Finding,
    Observed,
    Place,
    Result,
    Row,
    Side,
    Told,
    Verdict,
)

BASE, HEAD = Side("base", "origin/main, merge base 1234abc"), Side("head", "working tree")
FOUR = ("go:go", "go:py", "py:go", "py:py")
FILE = "shop/v1/order.proto"


def observed(outcome: Outcome, pairs: tuple[str, ...] = FOUR, *, flow: Flow = Flow.NEW_TO_OLD, **more: object) -> Observed:
    given = {"role": Role.REQUEST, "format": Format.BINARY, "deployments": (Deployment.CLIENTS_FIRST,)} | more
    return Observed(flow, outcome=outcome, pairs=pairs, **given)  # type: ignore[arg-type]


NARROWED = Finding(
    "shop.v1.Order.total",
    ("type int64 -> int32",),
    Verdict.BREAK,
    subject="field",
    base=Place(FILE, 9, f"proto/{FILE}"),
    head=Place(FILE, 12, f"proto/{FILE}"),
    before="int64 total = 3",
    after="int32 total = 3",
    observed=(
        observed(
            Outcome.ALTERED,
            flow=Flow.OLD_TO_NEW,
            deployments=(Deployment.SERVERS_FIRST,),
            sent="2147483648",
            received="-2147483648",
            why="the value does not fit into int32",
            breaks=True,
        ),
        observed(Outcome.PRESERVED),
    ),
    example=Example(
        "one above the largest int32",
        "total: 2147483648",
        "total: -2147483648",
        "client py@base",
        "server go@head",
        (Row("send total: 2147483648", "->", "received total: -2147483648"), Row("OK", "<-", "finish OK")),
        "ic1:eJyrVkrOz0nV",
    ),
    static=(
        Alarm("FIELD_SAME_TYPE", ("FILE", "PACKAGE"), "changed type"),
        Alarm("FIELD_WIRE_JSON_COMPATIBLE_TYPE", ("WIRE_JSON",), "changed type"),
    ),
)
REQUIRED = Finding(
    "shop.v1.Item.name",
    ("no longer required",),
    Verdict.BREAK,
    subject="field",
    head=Place(FILE, 30, f"proto/{FILE}"),
    observed=(
        observed(
            Outcome.REJECTED, ("go:go", "py:go"), role=Role.MESSAGE, deployments=(Deployment.WRITERS_FIRST,), sent="(not set)", breaks=True
        ),
        observed(Outcome.PRESERVED, ("go:py", "py:py"), role=Role.MESSAGE),
    ),
    example=Example("a message without it", "(empty)", "proto: required field shop.v1.Item.name not set"),
)
GONE = Finding(
    "shop.v1.Shop/Watch",
    ("removed",),
    Verdict.ACCEPTED,
    subject="rpc",
    base=Place(FILE, 50, f"proto/{FILE}"),
    before="rpc Watch (shop.v1.Order) returns (stream shop.v1.Order)",
    observed=(observed(Outcome.REMOVED, flow=Flow.OLD_TO_NEW, why="UNIMPLEMENTED", deployments=(Deployment.SERVERS_FIRST,), breaks=True),),
    static=(Alarm("RPC_NO_DELETE", ("FILE", "PACKAGE"), "deleted"),),
    accepted=Acceptance("interop.accepted.toml:3", "nobody calls it any more", "2026-12-31"),
)
ADDED = Finding(
    "shop.v1.Order.note",
    ("added",),
    Verdict.NOTE,
    subject="field",
    head=Place(FILE, 14, f"proto/{FILE}"),
    after="string note = 9",
    observed=(observed(Outcome.IGNORED, why="the old version does not know it"),),
    notes=("deploy servers first",),
)
HARMLESS = Finding(
    "shop.v1.Order.code",
    ("now in oneof key",),
    Verdict.OK,
    subject="field",
    head=Place(FILE, 16, f"proto/{FILE}"),
    observed=(observed(Outcome.PRESERVED), observed(Outcome.PRESERVED, flow=Flow.OLD_TO_NEW)),
    static=(Alarm("FIELD_SAME_ONEOF", ("FILE", "PACKAGE", "WIRE_JSON", "WIRE"), "moved"),),
)
COMPARISON = Comparison(
    BASE,
    (ADDED, NARROWED, GONE, HARMLESS, REQUIRED),
    {"servers first": False, "clients first": True, "writers first": False},
    {"RPC": 132, "message": 310},
    (Told("java", "no JDK found"),),
    ("interop.accepted.toml:9: shop.v1.Cart.id does not break any more: delete the entry",),
)
RESULT = Result(HEAD, "both", (COMPARISON,), 12.34, 1240, 1)
NOTHING = Result(HEAD, "both", (Comparison(BASE, untouched={"RPC": 134, "message": 315}),), 0.4)
TWO_BASES = replace(
    RESULT,
    comparisons=(
        COMPARISON,
        Comparison(Side("base 2", "v1.2.0"), (NARROWED,), {"servers first": True, "clients first": False}, static="buf is not installed"),
    ),
)


def many(count: int) -> Result:
    """A result with so many breaks, and as many notes."""
    breaks = tuple(replace(NARROWED, element=f"shop.v1.Order.f{number}") for number in range(count))
    notes = tuple(replace(ADDED, element=f"shop.v1.Order.n{number}", notes=(f"note {number}",)) for number in range(count))
    return replace(RESULT, comparisons=(replace(COMPARISON, findings=(*notes, *breaks)),))
