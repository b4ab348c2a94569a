"""A server's script as a program with grpcio's synchronous API."""

from collections.abc import Mapping, Sequence
from typing import Any

from export.names import Names, comment
from export.program import SHOW, block, entries, received, sent, show_metadata
from export.signals import definition, has_signals, imports, signalled

_STREAMS_REQUESTS = ("client_streaming", "bidi_streaming")
_STREAMS_RESPONSES = ("server_streaming", "bidi_streaming")

_PROGRAM = '''"""The server. Start it first: python3 server.py [PORT]"""

{standard}

import grpc
from google.protobuf import text_format

{imports}

port = sys.argv[1] if len(sys.argv) > 1 else "50051"

{show}{signals}

class Server({servicer}):
    def {handler}(self, {request}, context):
        over = threading.Event()
        context.add_callback(over.set)
        ended = terminated = False

        def receive():
            """Print the next message, or the end. Return whether there was a message."""
            nonlocal ended, terminated
            if ended:
                return False
            try:
{receive}
                return True
            except StopIteration:
                print("end", flush=True)
            except grpc.RpcError:
                print("terminated", flush=True)
                terminated = True
            ended = True
            return False

{steps}


server = grpc.server(futures.ThreadPoolExecutor(8))
{register}(Server(), server)
print(f"listening on 127.0.0.1:{{server.add_insecure_port(f'127.0.0.1:{{port}}')}}", flush=True)
server.start()
server.wait_for_termination()
'''

_NEXT = "                show(next(requests))"
_REQUEST = """                if taken:
                    over.wait()
                    raise grpc.RpcError
                taken.append(request)
                show(request)"""

_SIGNALS = ("signals = Signals()", "context.add_callback(signals.end)", "signals.connect(context.invocation_metadata())")


def server_program(call: Mapping[str, Any], names: Names) -> str:
    """Return the text of server.py."""
    streams = call["kind"] in _STREAMS_REQUESTS
    service = call["service"].rpartition(".")[2]
    servicer = names.service(call["file"], service + "Servicer")
    register = names.service(call["file"], f"add_{service}Servicer_to_server")
    message = names.message(call["response"])
    steps = list(_SIGNALS) if has_signals(call) else []
    steps += [] if streams else ["taken = []"]
    if "request" in call["shows"]:
        steps += show_metadata("request", "context.invocation_metadata()", call)
    steps += _lanes(call, message)
    return _PROGRAM.format(
        standard=imports(call, "importlib", "sys", "threading") + "\nfrom concurrent import futures",
        imports="\n".join(names.imports),
        show=SHOW.strip("\n") + "\n",
        signals=definition(call),
        servicer=servicer,
        handler=call["method"],
        request="requests" if streams else "request",
        receive=_NEXT if streams else _REQUEST,
        steps=block(steps, 2),
        register=register,
    )


def _lanes(call: Mapping[str, Any], message: str) -> list[str]:
    """Return the lines of the lanes. The handler itself is the sending lane, a thread the other; the RPC ends when both
    are done."""
    lanes = call["lanes"]
    main = next((lane for lane in lanes if any(step["step"] == "send" for step in lane)), lanes[0])
    lines = []
    for lane in lanes:
        if lane is not main:
            body = [line for step in lane for line in _step(step, call, message)] or ["pass"]
            lines += ["def other_lane():", *(f"    {line}" for line in body)]
            lines += ["thread = threading.Thread(target=other_lane)", "thread.start()"]
    lines += [line for step in main for line in _step(step, call, message)]
    lines += ["thread.join()"] if len(lanes) > 1 else []
    (finish,) = (step for lane in lanes for step in lane if step["step"] == "finish")
    return lines + _finish(finish, call, message, lanes)


def _finish(finish: Mapping[str, Any], call: Mapping[str, Any], message: str, lanes: Sequence[Any]) -> list[str]:
    trailers = list(finish["trailers"])
    if finish["details"]:
        trailers.append(["grpc-status-details-bin", finish["details"]])
    lines = [f"context.set_trailing_metadata({entries(trailers)})"] if trailers else []
    if finish["code"]:
        lines.append(f"context.abort({status_code(finish['code'])}, {finish['message']!r})")
        # A function with a yield is a generator, which runs only as far as somebody asks it for messages.
        return lines + ([f"yield {message}()  # never reached: makes the handler a generator"] if _without_yield(call, lanes) else [])
    if call["kind"] in _STREAMS_RESPONSES:
        return lines + (["return", f"yield {message}()"] if _without_yield(call, lanes) else [])
    return [*lines, "return response"]


def _without_yield(call: Mapping[str, Any], lanes: Sequence[Any]) -> bool:
    return call["kind"] in _STREAMS_RESPONSES and not any(step["step"] == "send" for lane in lanes for step in lane)


def status_code(number: int) -> str:
    """Return a code by its name: `grpc.StatusCode.NOT_FOUND`."""
    import grpc

    return f"grpc.StatusCode.{next(code.name for code in grpc.StatusCode if code.value[0] == number)}"


def _step(step: Mapping[str, Any], call: Mapping[str, Any], message: str) -> list[str]:
    kind = step["step"]
    if kind == "send":
        verb = "yield" if call["kind"] in _STREAMS_RESPONSES else "response ="
        return [f"{verb} {sent(step, message)}{comment(step)}"]
    if kind == "send_headers":
        return [f"context.send_initial_metadata({entries(step['entries'])})"]
    if kind == "wait_for_termination":
        return ["over.wait()", "if not terminated:", '    print("terminated", flush=True)']
    if kind in ("signal", "wait_for"):
        return [signalled(step)]
    return [] if kind == "finish" else received(step, "receive()")
