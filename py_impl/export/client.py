"""A client's script as a program with grpcio's synchronous API."""

from collections.abc import Mapping
from typing import Any

from export.names import Names, attribute, comment
from export.program import SHOW, block, entries, received, sent, show_metadata
from export.signals import METADATA, definition, has_signals, imports, signalled

_STREAMS_REQUESTS = ("client_streaming", "bidi_streaming")
_STREAMS_RESPONSES = ("server_streaming", "bidi_streaming")

_PROGRAM = '''"""The client. Run it beside the server: python3 client.py [HOST:PORT]"""

{standard}

import grpc
from google.protobuf import text_format

{imports}

target = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
call = None
ended = answered = False

{show}{signals}

def receive():
    """Print the next message, or the end. Return whether there was a message."""
    global ended, answered
    if ended:
        return False
    try:
{receive}
        return True
    except (StopIteration, grpc.RpcError, grpc.FutureCancelledError):
        ended = True
        print("end", flush=True)
        return False


with grpc.insecure_channel(target) as channel:
    stub = {stub}(channel)
{steps}
    print("status", call.code().name, json.dumps(call.details() or "", ensure_ascii=False), flush=True)
{epilogue}
'''

_NEXT = """        show(next(call))"""
_ANSWER = """        if answered:
            raise StopIteration
        answered = True
        show(call.result())"""


def client_program(call: Mapping[str, Any], names: Names) -> str:
    """Return the text of client.py."""
    streams = call["kind"] in _STREAMS_REQUESTS
    stub = names.service(call["file"], call["service"].rpartition(".")[2] + "Stub")
    message = names.message(call["request"])
    steps = ["signals = Signals()"] if has_signals(call) else []
    steps += ["requests = queue.SimpleQueue()", *_begin(call, "iter(requests.get, None)")] if streams else []
    lanes = [[line for step in lane for line in _step(step, call, message)] for lane in call["lanes"]]
    if len(lanes) == 1:
        steps += lanes[0]
    else:
        steps += _threads(lanes, streams)
    shows = [line for what, source in _SOURCES.items() if what in call["shows"] for line in show_metadata(what, source, call)]
    if "details" in call["shows"]:
        shows += _DETAILS
    epilogue = [*shows, *(["requests.put(None)"] if streams else [])]
    return _PROGRAM.format(
        standard=imports(call, "importlib", "json", "queue", "sys", "threading", "time"),
        imports="\n".join(names.imports),
        show=SHOW.strip("\n") + "\n",
        signals=definition(call),
        receive=_NEXT if call["kind"] in _STREAMS_RESPONSES else _ANSWER,
        stub=stub,
        steps=block(steps),
        epilogue=block(epilogue),
    )


_SOURCES = {"initial": "call.initial_metadata()", "trailers": "call.trailing_metadata()"}
_DETAILS = [
    "for key, value in call.trailing_metadata() or ():",
    '    if key == "grpc-status-details-bin":',
    '        print("details", value.hex(), flush=True)',
]


def _begin(call: Mapping[str, Any], request: str, remark: str = "") -> list[str]:
    method = attribute("stub", call["method"])
    invoke = method if call["kind"] in _STREAMS_RESPONSES else f"{method}.future"
    signals = (f'("{METADATA}", signals.listen())',) if has_signals(call) else ()
    options = [f"metadata={entries(call['metadata'], *signals)}"] if call["metadata"] or signals else []
    options += [f"timeout={call['timeout_seconds']}"] if call["timeout_seconds"] is not None else []
    options += ["compression=grpc.Compression.Gzip"] if call["compression"] == "gzip" else []
    options += ["compression=grpc.Compression.Deflate"] if call["compression"] == "deflate" else []
    begin = f"call = {invoke}({', '.join([request, *options])}){remark}"
    return [begin, "call.add_done_callback(signals.end)"] if signals else [begin]


def _threads(lanes: list[list[str]], streams: bool) -> list[str]:
    """Return the lines that play the second lane in a thread. A call with a single request begins with the send, in
    either lane."""
    waits = [] if streams else ["while call is None:", "    time.sleep(0.001)"]
    sends = next((number for number, lane in enumerate(lanes) if any("call = " in line for line in lane)), 0)
    main, other = lanes[sends], lanes[1 - sends]
    lines = ["def other_lane():", *(f"    {line}" for line in (*waits, *other) or ["pass"])]
    return [*lines, "thread = threading.Thread(target=other_lane)", "thread.start()", *main, "thread.join()"]


def _step(step: Mapping[str, Any], call: Mapping[str, Any], message: str) -> list[str]:
    kind = step["step"]
    if kind == "send":
        request = sent(step, message)
        return [f"requests.put({request}){comment(step)}"] if call["kind"] in _STREAMS_REQUESTS else _begin(call, request, comment(step))
    if kind == "half_close":
        return ["requests.put(None)  # half-close"]
    if kind == "cancel":
        return ["call.cancel()"]
    if kind == "receive_headers":
        return ["call.initial_metadata()  # waits for the response's headers"]
    if kind in ("signal", "wait_for"):
        return [signalled(step)]
    return received(step, "receive()")
