"""A client's script as a program with grpc.aio."""

from collections.abc import Mapping
from typing import Any

from export.names import Names, attribute, comment
from export.program import SHOW, block, entries, received, sent, show_metadata
from export.signals import AWAITED, METADATA, definition, has_signals, imports, signalled

_STREAMS_REQUESTS = ("client_streaming", "bidi_streaming")
_STREAMS_RESPONSES = ("server_streaming", "bidi_streaming")

_PROGRAM = '''"""The client, with grpc.aio. Run it beside the server: python3 client.py [HOST:PORT]"""

{standard}

import grpc
from google.protobuf import text_format

{imports}

target = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
call = None
ended = answered = False

{show}{signals}

async def receive():
    """Print the next message, or the end. Return whether there was a message."""
    global ended, answered
    if ended:
        return False
    try:
{receive}
    except ENDED:
        message = grpc.aio.EOF
    ended = message is grpc.aio.EOF
    if ended:
        print("end", flush=True)
    else:
        show(message)
    return not ended


# How grpc.aio says, in place of a result, that the RPC has ended.
ENDED = (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError, asyncio.CancelledError)


async def send(message):
    """Whether a message was sent says nothing: the status does."""
    try:
        await call.write(message)
    except ENDED:
        pass


async def half_close():
    try:
        await call.done_writing()
    except ENDED:
        pass


{lanes}


async def main():
    global call
    async with grpc.aio.insecure_channel(target) as channel:
        stub = {stub}(channel)
{begin}
        await asyncio.gather({calls})
        code, details = await call.code(), await call.details()
        print("status", code.name, json.dumps(details or "", ensure_ascii=False), flush=True)
{epilogue}


asyncio.run(main())
'''

_NEXT = "        message = await call.read()"
_ANSWER = """        message = grpc.aio.EOF if answered else await call
        answered = True"""
_SOURCES = {"initial": "await call.initial_metadata()", "trailers": "await call.trailing_metadata()"}
_DETAILS = [
    "for key, value in await call.trailing_metadata() or ():",
    '    if key == "grpc-status-details-bin":',
    '        print("details", value.hex(), flush=True)',
]


def aio_client_program(call: Mapping[str, Any], names: Names) -> str:
    """Return the text of client.py."""
    message = names.message(call["request"])
    stub = names.service(call["file"], call["service"].rpartition(".")[2] + "Stub")
    request = "" if call["kind"] in _STREAMS_REQUESTS else _only_request(call, message)
    lanes = [[line for step in lane for line in _step(step, call, message)] or ["pass"] for lane in call["lanes"]]
    shows = [line for what, source in _SOURCES.items() if what in call["shows"] for line in show_metadata(what, source, call)]
    return _PROGRAM.format(
        standard=imports(call, "asyncio", "importlib", "json", "sys"),
        imports="\n".join(names.imports),
        show=SHOW.strip("\n") + "\n",
        signals=f"{definition(call)}\n\nsignals = Signals()\n" if has_signals(call) else "",
        receive=_NEXT if call["kind"] in _STREAMS_RESPONSES else _ANSWER,
        lanes="\n\n\n".join(f"async def lane_{number}():\n{block(lines)}" for number, lines in enumerate(lanes)),
        stub=stub,
        begin=block(_begin(call, request), 2),
        calls=", ".join(f"lane_{number}()" for number in range(len(lanes))),
        epilogue=block([*shows, *(_DETAILS if "details" in call["shows"] else [])], 2),
    )


def _only_request(call: Mapping[str, Any], message: str) -> str:
    """Return the request of a call that has a single request: the call begins with it."""
    return next(sent(step, message) for lane in call["lanes"] for step in lane if step["step"] == "send")


def _begin(call: Mapping[str, Any], request: str) -> list[str]:
    signals = (f'("{METADATA}", signals.listen())',) if has_signals(call) else ()
    options = [f"metadata={entries(call['metadata'], *signals)}"] if call["metadata"] or signals else []
    options += [f"timeout={call['timeout_seconds']}"] if call["timeout_seconds"] is not None else []
    options += [f"compression=grpc.Compression.{call['compression'].capitalize()}"] if call["compression"] else []
    begin = f"call = {attribute('stub', call['method'])}({', '.join(filter(None, [request, *options]))})"
    return [begin, "call.add_done_callback(signals.end)"] if signals else [begin]


def _step(step: Mapping[str, Any], call: Mapping[str, Any], message: str) -> list[str]:
    kind = step["step"]
    if kind == "send":
        return [f"await send({sent(step, message)}){comment(step)}"] if call["kind"] in _STREAMS_REQUESTS else []
    if kind == "half_close":
        return ["await half_close()"]
    if kind == "cancel":
        return ["call.cancel()"]
    if kind == "receive_headers":
        return ["await call.initial_metadata()  # waits for the response's headers"]
    if kind in ("signal", "wait_for"):
        return [signalled(step, AWAITED)]
    return received(step, "await receive()")
