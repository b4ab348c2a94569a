"""The `greeter` suite: the hand-written programs of the quick start, a process that calls another.

docs/manifest.md says how such programs are called and print. Text that a program may choose freely (a price, the
words around an echo) is a placeholder in the expected text.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grpc_interop.core.case import OK, Case, Finish, HalfClose, Lane, Method, Receive, ReceiveToEnd, Send
from grpc_interop.programs.templates import ANYTHING, INTERVAL_SECONDS, PRICE, message
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites.protocol import Suite, SuiteOptions

NAME = "greeter"
SERVICE = "greeter.v1.Greeter"

TICKS = 10
SPREAD_US = int(INTERVAL_SECONDS * (TICKS - 1) / 2 * 1e6)
"""Half of the time that the ticks should take: the first tick may have come late."""

_TO_END = ReceiveToEnd()
_OK_END = Finish(OK)


class _GreeterCase(NamedTuple):
    """A case of a method: the messages of the client and the server."""

    method: str
    name: str
    why: str
    client: Lane
    server: Lane
    spread_us: int = 0


def cases(catalog: Catalog, options: SuiteOptions) -> Iterator[Case]:  # noqa: ARG001  nothing here is random
    """Yield the Greeter's cases, where the roots hold its service."""
    methods = {method.name: method for method in catalog.methods() if method.service == SERVICE}
    for row in _TABLE:
        if row.method in methods:
            yield _case(methods[row.method], row)


def _case(method: Method, row: _GreeterCase) -> Case:
    return Case(
        suite=NAME,
        name=row.name,
        method=method,
        client=(row.client,),
        server=(row.server,),
        why=row.why,
        player="programs",
        spread_us=row.spread_us,
    )


def _say(*texts: str) -> Lane:
    return tuple(Send(message(text)) for text in texts)


def _greets(name: str, who: str) -> _GreeterCase:
    why = "SayHello greets whom it is told to greet."
    return _GreeterCase("SayHello", name, why, (*_say(who), _TO_END), (Receive(), *_say(f"Hello, {who}"), _OK_END))


def _ticks(name: str, symbol: str) -> _GreeterCase:
    ticks = [f"{symbol} {number}/{TICKS} {PRICE}" for number in range(1, TICKS + 1)]
    why = "GetStream sends ten numbered ticks of the symbol, one by one, then ends."
    return _GreeterCase("GetStream", name, why, (*_say(symbol), _TO_END), (Receive(), *_say(*ticks), _OK_END), SPREAD_US)


def _counts(name: str, items: Sequence[str]) -> _GreeterCase:
    # Without items there is no last item, and the program may say anything about it.
    answer = f"{len(items)} items, last {items[-1]}" if items else f"0 items{ANYTHING}"
    why = "PutStream answers once, after the last item, with their number and the last."
    return _GreeterCase("PutStream", name, why, (*_say(*items), HalfClose(), _TO_END), (_TO_END, *_say(answer), _OK_END))


def _echoes(name: str, texts: Sequence[str]) -> _GreeterCase:
    answers = [f"{ANYTHING}{text}{ANYTHING}" for text in texts]
    client = [step for text in texts for step in (*_say(text), Receive())]
    server = [step for answer in answers for step in (Receive(), *_say(answer))]
    why = "AllStream answers each message before the next one, and ends when the client does."
    return _GreeterCase("AllStream", name, why, (*client, HalfClose(), _TO_END), (*server, _TO_END, _OK_END))


def _talks_on(name: str, texts: Sequence[str]) -> _GreeterCase:
    answers = [f"{ANYTHING}{text}{ANYTHING}" for text in texts]
    receives = (Receive(),) * len(texts)
    why = "AllStream answers in order, and before the half-close, a client that does not wait for answers."
    client = (*_say(*texts), *receives, HalfClose(), _TO_END)
    return _GreeterCase("AllStream", name, why, client, (*receives, *_say(*answers), _TO_END, _OK_END))


_NON_ASCII = "Grüße, 世界 👋"

# No text holds another text, so that each answer shows the message that it answers.
_TABLE = (
    _greets("greets", "World"),
    _greets("greets_non_ascii", _NON_ASCII),
    _ticks("ten_ticks", "ETH"),
    _ticks("ten_ticks_non_ascii", "ΞTH"),
    _counts("counts_none", ()),
    _counts("counts_one", ("only",)),
    _counts("counts_three", ("apple", "birne 🍐", "cherry pie")),
    _echoes("answers_each", ("alpha", "beta", "gamma", _NON_ASCII, "omega")),
    _talks_on("talks_on", ("red", "green", "blue")),
)

SUITE = Suite(NAME, "the hand-written Greeter programs, each client with each server", cases)
