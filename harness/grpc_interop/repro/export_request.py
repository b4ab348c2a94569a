"""A case as what two stand-alone programs need to know: plain JSON, one object a side, described in docs/manifest.md
("The export request"). Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from grpc_interop.core.case import (
    AnyCase,
    Cancel,
    Case,
    Entry,
    Finish,
    HalfClose,
    MessageCase,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Script,
    Send,
    SendHeaders,
    Signal,
    Status,
    Step,
    WaitFor,
    WaitForTermination,
    finishes,
    steps,
)
from grpc_interop.core.model import model
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import Observation
from grpc_interop.core.verdict import code_name
from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog

_NAMES: dict[type, str] = {
    Receive: "receive",
    ReceiveToEnd: "receive_to_end",
    HalfClose: "half_close",
    Cancel: "cancel",
    ReceiveHeaders: "receive_headers",
    Signal: "signal",
    WaitFor: "wait_for",
    WaitForTermination: "wait_for_termination",
}


def side_of(case: AnyCase, side: Side, catalog: Catalog) -> dict[str, Any]:
    """What the program of one side does: `{"call": ...}`, or `{"message": ...}` where no RPC is made. Raises UsageError
    for a case that two programs cannot play by themselves."""
    if isinstance(case, MessageCase):
        return {"message": _message(case, side, catalog)}
    return {"call": _call(case, side, catalog)}


def _call(case: Case, side: Side, catalog: Catalog) -> dict[str, Any]:
    method = case.method
    script = case.client if side is Side.CLIENT else case.server
    return {
        "service": method.service,
        "method": method.name,
        "file": catalog.file_of(case),
        "kind": method.kind.value,
        "request": _type(method.request, catalog),
        "response": _type(method.response, catalog),
        "lanes": _lanes(script, case.type_seen_by(side.other), catalog),
        "metadata": _entries(case.metadata),
        "report_metadata": list(case.own_keys()),
        "timeout_seconds": None if case.timeout_us is None else case.timeout_us / 1e6,
        "compression": case.compression,
        "shows": _shows(case, side),
    }


def _shows(case: Case, side: Side) -> list[str]:
    """What else a side prints, because the other one sends it."""
    if side is Side.SERVER:
        return ["request"] if case.metadata else []
    (status,) = finishes(case.server)
    sends_headers = any(isinstance(step, SendHeaders) for step in steps(case.server))
    told = {"initial": sends_headers, "trailers": status.trailers, "details": status.details}
    return [name for name, is_sent in told.items() if is_sent]


def _message(case: MessageCase, side: Side, catalog: Catalog) -> dict[str, Any]:
    """The client's program writes the message, and the server's reads what that wrote, or the same message where it is
    the runtimes' choice whether it is valid."""
    if len(case.examples) != 1:
        raise UsageError(
            f"{case.id} cannot be exported: it is about many messages",
            "export a failure of it: the replay text of a failure holds the one message that fails",
        )
    told = {"type": _type(case.type_name, catalog), "to_json": case.json}
    if side is Side.CLIENT or case.alike:
        return told | _data(case.type_name, case.examples[0], catalog) | {"from": "base64"}
    return told | {"from": "json" if case.json else "hex"}


def _type(name: str, catalog: Catalog) -> dict[str, str]:
    return {"name": name, "file": catalog.message(name).file.name}


def _lanes(script: Script, sent: str, catalog: Catalog) -> list[list[dict[str, Any]]]:
    return [[_step(step, sent, catalog) for step in lane] for lane in script]


def _step(step: Step, sent: str, catalog: Catalog) -> dict[str, Any]:
    match step:
        case Send(message):
            return {"step": "send"} | _data(sent, message, catalog)
        case SendHeaders(entries):
            return {"step": "send_headers", "entries": _entries(entries)}
        case Finish(status):
            details, trailers = _base64(status.details), _entries(status.trailers)
            return {"step": "finish", "code": status.code, "message": status.message or "", "details": details, "trailers": trailers}
        case Signal(name) | WaitFor(name):
            return {"step": _NAMES[type(step)], "name": name}
        case _:
            return {"step": _NAMES[type(step)]}


def _data(type_name: str, data: bytes, catalog: Catalog) -> dict[str, str]:
    return {"base64": _base64(data), "text": catalog.describe(type_name, data)}


def _entries(entries: tuple[Entry, ...]) -> list[list[str]]:
    return [[entry.key, _base64(entry.value)] for entry in entries]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def expected_output(case: AnyCase, catalog: Catalog) -> Iterator[str]:
    """What the two programs print where nothing is wrong."""
    if isinstance(case, MessageCase):
        yield "Both programs refuse the message, or both print the same." if case.alike else "Both programs print the same message."
        return
    allowed = model(case)
    expected = allowed[0]
    for side, lanes in ((Side.SERVER, expected.server.lanes), (Side.CLIENT, expected.client.lanes)):
        yield f"The {side} prints" + (" (in any order between its two lanes)" if len(lanes) > 1 else "")
        yield ""
        if side is Side.SERVER and not any(lanes):
            yield "    (nothing)"
        for lane in lanes:
            yield from (f"    {_printed(one, case.type_seen_by(side), catalog)}" for one in lane)
        if side is Side.CLIENT:
            yield f"    {_status_line(expected.client.status)}"
        yield ""
    yield "Within a message the order of fields is the runtime's choice, and with it that of the digits."
    if any(isinstance(step, Signal) for script in (case.client, case.server) for step in steps(script)):
        yield "Beside the RPC the sides tell each other how far they are, through a port of 127.0.0.1 that the client opens."
    if len(allowed) > 1:
        yield f"That is the likeliest of {len(allowed)} outcomes that gRPC allows; which one it is depends on what comes first."


def _status_line(status: Status) -> str:
    if status.code and status.message is None:
        return f"status {code_name(status.code)} with words of the runtime's own"
    return f"status {code_name(status.code)} {json.dumps(status.message if status.code else '', ensure_ascii=False)}"


def _printed(one: Observation, type_name: str, catalog: Catalog) -> str:
    return f"received {one.hex()}  # {catalog.describe(type_name, one)}" if isinstance(one, bytes) else one.value
