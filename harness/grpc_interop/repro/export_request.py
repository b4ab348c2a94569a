"""A case as two export requests, from which implementations write programs: plain JSON, an object for each side, described
in docs/manifest.md ("The export request"). Pure."""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from grpc_interop.core.endpoint import PLAIN
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


class Reproduction(ABC):
    """A case as two programs that play it by themselves."""

    @abstractmethod
    def side(self, side: Side, catalog: Catalog) -> dict[str, Any]:
        """Return the request for one side's program: `{"call": ...}`, or `{"message": ...}` for a case without an RPC. Raise
        UsageError for a case that two programs cannot play by themselves."""

    @abstractmethod
    def expected(self, catalog: Catalog) -> Iterator[str]:
        """Yield lines of Markdown that describe the output of the two programs where nothing is wrong."""

    @abstractmethod
    def commands(self, server: str, client: str) -> Iterator[str]:
        """Yield the shell commands that play the case, from the commands that run each program."""


@dataclass(frozen=True, slots=True)
class RpcReproduction(Reproduction):
    """A call: the server starts first and stays."""

    case: Case

    def side(self, side: Side, catalog: Catalog) -> dict[str, Any]:
        if self.case.endpoint(side) != PLAIN:
            raise UsageError(f"{self.case.id} cannot be exported: its {side} has options, {self.case.endpoint(side)}")
        return {"call": _call(self.case, side, catalog)}

    def expected(self, catalog: Catalog) -> Iterator[str]:
        return _expected_output(self.case, catalog)

    def commands(self, server: str, client: str) -> Iterator[str]:
        yield f"{server}    # prints: listening on 127.0.0.1:50051"
        yield f"{client}    # in another terminal"


@dataclass(frozen=True, slots=True)
class MessageReproduction(Reproduction):
    """A message, which the client's program passes to the server's."""

    case: MessageCase

    def side(self, side: Side, catalog: Catalog) -> dict[str, Any]:
        return {"message": _message(self.case, side, catalog)}

    def expected(self, catalog: Catalog) -> Iterator[str]:
        yield "Both programs refuse the message, or both print the same." if self.case.alike else "Both programs print the same message."

    def commands(self, server: str, client: str) -> Iterator[str]:
        yield f"{client} | tee message.txt"
        yield server if self.case.alike else f"{server} < message.txt"


_BY_EXECUTOR: dict[str, Callable[[Any], Reproduction]] = {
    "rpc": RpcReproduction,
    "program": RpcReproduction,
    "message": MessageReproduction,
}


def reproduction_of(case: AnyCase) -> Reproduction:
    """Return the case as two programs. Raise UsageError for a kind of case that two programs cannot play."""
    if case.executor not in _BY_EXECUTOR:
        raise UsageError(f"{case.id} cannot be exported: no program can play a case of its kind")
    return _BY_EXECUTOR[case.executor](case)


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
    """Return what the other side sends beside messages and the status code, so that this side prints it."""
    if side is Side.SERVER:
        return ["request"] if case.metadata else []
    (status,) = finishes(case.server)
    sends_headers = any(isinstance(step, SendHeaders) for step in steps(case.server))
    sent = {"initial": sends_headers, "trailers": status.trailers, "details": status.details}
    return [name for name, is_sent in sent.items() if is_sent]


def _message(case: MessageCase, side: Side, catalog: Catalog) -> dict[str, Any]:
    """Return the request of a message case: the client's program writes the message, and the server's reads that output. Where
    the runtimes may choose whether the message is valid, both read the same message."""
    if len(case.examples) != 1:
        raise UsageError(
            f"{case.id} cannot be exported: it is about many messages",
            "export a failure of it: the replay text of a failure holds the message that fails",
        )
    request = {"type": _type(case.type_name, catalog), "to_json": case.json}
    if side is Side.CLIENT or case.alike:
        return request | _data(case.type_name, case.examples[0], catalog) | {"from": "base64"}
    return request | {"from": "json" if case.json else "hex"}


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


def _expected_output(case: Case, catalog: Catalog) -> Iterator[str]:
    allowed = model(case)
    expected = allowed[0]
    for side, lanes in ((Side.SERVER, expected.server.lanes), (Side.CLIENT, expected.client.lanes)):
        yield f"The {side} prints" + (" (in any order between its two lanes)" if len(lanes) > 1 else "")
        yield ""
        if side is Side.SERVER and not any(lanes):
            yield "    (nothing)"
        for lane in lanes:
            yield from (f"    {_printed(seen, case.type_seen_by(side), catalog)}" for seen in lane)
        if side is Side.CLIENT:
            yield f"    {_status_line(expected.client.status)}"
        yield ""
    yield "The runtime chooses the order of fields within a message, and so the order of the digits."
    if any(isinstance(step, Signal) for script in (case.client, case.server) for step in steps(script)):
        yield "Beside the RPC the sides tell each other how far they are, through a port of 127.0.0.1 that the client opens."
    if len(allowed) > 1:
        yield f"That is the likeliest of {len(allowed)} outcomes that gRPC allows; the order of events decides between them."


def _status_line(status: Status) -> str:
    if status.code and status.message is None:
        return f"status {code_name(status.code)} with words of the runtime's own"
    return f"status {code_name(status.code)} {json.dumps(status.message if status.code else '', ensure_ascii=False)}"


def _printed(seen: Observation, type_name: str, catalog: Catalog) -> str:
    return f"received {seen.hex()}  # {catalog.describe(type_name, seen)}" if isinstance(seen, bytes) else seen.value
