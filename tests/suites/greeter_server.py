"""A Greeter server for the tests, right or with one fault: `greeter_server.py FAULT --port N --interval SECONDS`.

It needs no generated code: the messages hold one text each.
"""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from grpc_interop.programs.templates import message, text

FAULT = sys.argv[1]
ANSWERS_AFTER = {"answers_put_stream_early": 2, "answers_with_the_third_item": 3}
"""Items after which PutStream is answered, whatever still comes."""


def say_hello(name, context):
    if FAULT == "wrong_greeting":
        return f"Hi, {name}"
    if FAULT == "crashes":
        os._exit(3)
    if FAULT == "ascii_only":
        return f"Hello, {name.encode('ascii', 'replace').decode()}"
    return f"Hello, {name}"


def get_stream(symbol, context):
    interval = float(sys.argv[sys.argv.index("--interval") + 1])
    count = {"nine_ticks": 9, "eleven_ticks": 11}.get(FAULT, 10)
    numbers = list(range(1, count + 1))
    if FAULT == "wrong_order":
        numbers[3], numbers[4] = numbers[4], numbers[3]
    if FAULT == "buffers_ticks":
        time.sleep(interval * count)
    for number in numbers:
        if FAULT != "buffers_ticks":
            time.sleep(interval)
        yield f"{symbol} {number}/10 {2041 + number}" + ("" if FAULT == "price_without_decimals" else ".12")
    while FAULT == "ticks_for_ever" and context.is_active():
        yield f"{symbol} 10/10 0.00"
    if FAULT == "error_at_the_end":
        context.abort(grpc.StatusCode.INTERNAL, "stream fell over")
    if FAULT == "never_ends":
        while context.is_active():
            time.sleep(0.1)


def put_stream(items, context):
    count, last = 0, ""
    for item in items:
        count, last = count + 1, item
        if ANSWERS_AFTER.get(FAULT) == count:
            break
    if FAULT == "miscounts":
        count += 1
    return f"{count} items, last {last}"


def all_stream(texts, context):
    if FAULT == "answers_all_stream_at_the_end":
        yield from [f"echo {said}" for said in texts]
        return
    for said in texts:
        yield "echo" if FAULT == "echoes_nothing" else f"echo {said}"
        if FAULT == "answers_twice":
            yield f"echo {said}"


def main() -> None:
    codec = {"request_deserializer": text, "response_serializer": message}
    server = grpc.server(ThreadPoolExecutor(8))
    handlers = {
        "SayHello": grpc.unary_unary_rpc_method_handler(say_hello, **codec),
        "GetStream": grpc.unary_stream_rpc_method_handler(get_stream, **codec),
        "PutStream": grpc.stream_unary_rpc_method_handler(put_stream, **codec),
        "AllStream": grpc.stream_stream_rpc_method_handler(all_stream, **codec),
    }
    server.add_registered_method_handlers("greeter.v1.Greeter", handlers)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("greeter.v1.Greeter", handlers)])
    port = server.add_insecure_port("127.0.0.1:" + sys.argv[sys.argv.index("--port") + 1])
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
    if FAULT == "exits":
        sys.exit("no such option: --interval")
    print("ready" if FAULT == "wrong_first_line" else f"listening on 127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
