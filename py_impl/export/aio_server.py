"""A server's script as a program with grpc.aio."""

from collections.abc import Mapping
from typing import Any

from export.names import Names, comment
from export.program import SHOW, block, entries, received, sent, show_metadata
from export.server import status_code
from export.signals import AWAITED, definition, has_signals, imports, signalled

_STREAMS_REQUESTS = ("client_streaming", "bidi_streaming")
_STREAMS_RESPONSES = ("server_streaming", "bidi_streaming")

_PROGRAM = '''"""The server, with grpc.aio. Start it first: python3 server.py [PORT]"""

{standard}

import grpc
from google.protobuf import text_format

{imports}

port = sys.argv[1] if len(sys.argv) > 1 else "50051"

{show}{signals}

class Server({servicer}):
    async def {handler}(self, request, context):
        ended = taken = False

        async def receive():
            """Print the next message, or the end. Return whether there was a message."""
            nonlocal ended, taken
            if ended:
                return False
{receive}
            ended = message is grpc.aio.EOF
            if ended:
                print("end", flush=True)
            else:
                show(message)
            return not ended

        try:
{steps}
        except asyncio.CancelledError:
            print("terminated", flush=True)
            raise


async def main():
    server = grpc.aio.server()
    {register}(Server(), server)
    print(f"listening on 127.0.0.1:{{server.add_insecure_port(f'127.0.0.1:{{port}}')}}", flush=True)
    await server.start()
    await server.wait_for_termination()


asyncio.run(main())
'''

_NEXT = "            message = await context.read()"
_REQUEST = """            if taken:
                await asyncio.Event().wait()  # there is no second request: wait until the RPC is ended from outside
            taken = True
            message = request"""

_SIGNALS = ("signals = Signals()", "context.add_done_callback(signals.end)", "signals.connect(context.invocation_metadata())")


def aio_server_program(call: Mapping[str, Any], names: Names) -> str:
    """Return the text of server.py."""
    service = call["service"].rpartition(".")[2]
    servicer = names.service(call["file"], service + "Servicer")
    register = names.service(call["file"], f"add_{service}Servicer_to_server")
    message = names.message(call["response"])
    begin = list(_SIGNALS) if has_signals(call) else []
    begin += show_metadata("request", "context.invocation_metadata()", call) if "request" in call["shows"] else []
    return _PROGRAM.format(
        standard=imports(call, "asyncio", "importlib", "sys"),
        imports="\n".join(names.imports),
        show=SHOW.strip("\n") + "\n",
        signals=definition(call),
        servicer=servicer,
        handler=call["method"],
        receive=_NEXT if call["kind"] in _STREAMS_REQUESTS else _REQUEST,
        steps=block([*begin, *_lanes(call, message)], 3),
        register=register,
    )


def _lanes(call: Mapping[str, Any], message: str) -> list[str]:
    """Return the lines of the lanes. The RPC ends when both are done."""
    lanes = [[line for step in lane for line in _step(step, call, message)] for lane in call["lanes"]]
    if len(lanes) == 1:
        lines = lanes[0]
    else:
        lines = []
        for number, lane in enumerate(lanes):
            lines += [f"async def lane_{number}():", *(f"    {line}" for line in lane or ["pass"])]
        lines.append(f"await asyncio.gather({', '.join(f'lane_{number}()' for number in range(len(lanes)))})")
    steps = [step for lane in call["lanes"] for step in lane]
    (finish,) = (step for step in steps if step["step"] == "finish")
    trailers = [*finish["trailers"], *([["grpc-status-details-bin", finish["details"]]] if finish["details"] else [])]
    lines += [f"context.set_trailing_metadata({entries(trailers)})"] if trailers else []
    if finish["code"]:
        return [*lines, f"await context.abort({status_code(finish['code'])}, {finish['message']!r})"]
    if call["kind"] in _STREAMS_RESPONSES:
        return lines
    response = next(step for step in steps if step["step"] == "send")
    return [*lines, f"return {sent(response, message)}{comment(response)}"]


def _step(step: Mapping[str, Any], call: Mapping[str, Any], message: str) -> list[str]:
    kind = step["step"]
    if kind == "send":
        # A single response is sent with the finish.
        return [f"await context.write({sent(step, message)}){comment(step)}"] if call["kind"] in _STREAMS_RESPONSES else []
    if kind == "send_headers":
        return [f"await context.send_initial_metadata({entries(step['entries'])})"]
    if kind == "wait_for_termination":
        return ["await asyncio.Event().wait()  # until the RPC is ended from outside"]
    if kind in ("signal", "wait_for"):
        return [signalled(step, AWAITED)]
    return [] if kind == "finish" else received(step, "await receive()")
