"""A client for the Greeter service in Python with asyncio: it talks to the server of any language.

python3 aio_client.py [--target 127.0.0.1:50051] [--timeout SECONDS] say-hello World
"""

import argparse
import asyncio
import sys
import threading
from collections.abc import AsyncIterator

import grpc
from greeter.v1 import greeter_pb2, greeter_pb2_grpc


async def texts(stub: greeter_pb2_grpc.GreeterStub, options: argparse.Namespace) -> AsyncIterator[str]:
    """Make the call that the options name, and yield the text of each answer as it arrives."""
    match options.method:
        case "say-hello":
            reply = await stub.SayHello(greeter_pb2.HelloRequest(name=options.name), timeout=options.timeout)
            yield reply.message
        case "get-stream":
            request = greeter_pb2.StreamReqData(data=options.symbol)
            async for response in stub.GetStream(request, timeout=options.timeout):
                yield response.data
        case "put-stream":
            yield (await stub.PutStream(requests(options.items), timeout=options.timeout)).data
        case "all-stream":
            # grpc.aio takes the requests in a task of its own: both directions flow at the same time.
            async for response in stub.AllStream(requests(options.items), timeout=options.timeout):
                yield response.data


async def requests(items: list[str]) -> AsyncIterator[greeter_pb2.StreamReqData]:
    """Yield one request per item, or per line of stdin if there are none. The end of the iterator half-closes the call."""
    for item in items:
        yield greeter_pb2.StreamReqData(data=item)
    if items:
        return
    # Reading a line blocks, and the loop has answers to receive meanwhile: so a thread reads. It is a daemon, since a call
    # that has ended does not wait for a line.
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        while line := sys.stdin.readline():
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "")

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        yield greeter_pb2.StreamReqData(data=line.rstrip("\n"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Calls one method of greeter.v1.Greeter.")
    parser.add_argument("--target", default="127.0.0.1:50051", metavar="HOST:PORT", help="(default: %(default)s)")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="deadline of the call (default: none)")
    methods = parser.add_subparsers(dest="method", required=True)
    methods.add_parser("say-hello", help="unary").add_argument("name")
    methods.add_parser("get-stream", help="server streaming").add_argument("symbol")
    methods.add_parser("put-stream", help="client streaming").add_argument("items", nargs="*", metavar="item")
    methods.add_parser("all-stream", help="bidirectional streaming").add_argument("items", nargs="*", metavar="text")
    return parser.parse_args()


async def run(options: argparse.Namespace) -> int:
    async with grpc.aio.insecure_channel(options.target) as channel:
        try:
            async for text in texts(greeter_pb2_grpc.GreeterStub(channel), options):
                print(text, flush=True)
        except grpc.aio.AioRpcError as error:
            print(f"error: {error.code().name}: {error.details()}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(run(arguments())))
    except KeyboardInterrupt:
        sys.exit(130)  # as shells do
