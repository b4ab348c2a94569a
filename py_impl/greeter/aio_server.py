"""The Greeter service in Python with asyncio: run it, then talk to it with the client of any language.

python3 aio_server.py [--port 50051] [--interval 1.0]
"""

import argparse
import asyncio
import random
import signal
import socket
from collections.abc import AsyncIterator

import grpc
from greeter.v1 import greeter_pb2, greeter_pb2_grpc

TICKS = 10


class Greeter(greeter_pb2_grpc.GreeterServicer):  # type: ignore[misc]  # grpcio generates no types
    """One method for each of gRPC's four kinds. Every method prints the messages that it receives.

    After a cancel or a deadline grpc.aio cancels the method's task: the `await` at which it stands raises CancelledError.
    """

    def __init__(self, interval: float = 1.0) -> None:
        """Prepare the service. `interval` is the time between two ticks of GetStream, in seconds."""
        self._interval = interval

    async def SayHello(self, request: greeter_pb2.HelloRequest, context: grpc.aio.ServicerContext) -> greeter_pb2.HelloReply:
        """Serve a unary RPC: one request, one response."""
        show("SayHello", request.name)
        return greeter_pb2.HelloReply(message=f"Hello, {request.name}")

    async def GetStream(
        self, request: greeter_pb2.StreamReqData, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[greeter_pb2.StreamResData]:
        """Server streaming: each `yield` sends a message; returning ends the stream."""
        show("GetStream", request.data)
        price = random.uniform(1_000, 3_000)
        for tick in range(1, TICKS + 1):
            if tick > 1:
                await asyncio.sleep(self._interval)
            price *= random.uniform(0.99, 1.01)
            yield greeter_pb2.StreamResData(data=f"{request.data} {tick}/{TICKS} {price:.2f}")

    async def PutStream(
        self, request_iterator: AsyncIterator[greeter_pb2.StreamReqData], context: grpc.aio.ServicerContext
    ) -> greeter_pb2.StreamResData:
        """Client streaming: the iterator ends when the client has sent everything."""
        items = []
        async for request in request_iterator:
            show("PutStream", request.data)
            items.append(request.data)
        return greeter_pb2.StreamResData(data=f"{len(items)} items, last {items[-1]}" if items else "0 items")

    async def AllStream(
        self, request_iterator: AsyncIterator[greeter_pb2.StreamReqData], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[greeter_pb2.StreamResData]:
        """Bidirectional streaming: answers each message as it arrives."""
        async for request in request_iterator:
            show("AllStream", request.data)
            yield greeter_pb2.StreamResData(data=f"echo {request.data}")


def port_number(text: str) -> int:
    """Return the port that --port names. gRPC would take 99999 for 34463."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def check_port(port: int) -> None:
    """Raise OSError if the port cannot be bound. gRPC would only refer to its debug log for the reason."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gRPC does: calls that have just ended are no obstacle
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise OSError(str(error.strerror).lower()) from None


def show(method: str, data: str) -> None:
    """Print a received message at once, even into a pipe."""
    print(method, data, flush=True)


async def serve(port: int, interval: float) -> None:
    """Serve until SIGINT or SIGTERM. Raise OSError or RuntimeError if the port cannot be bound."""
    check_port(port)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(interval), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)

    await stop.wait()
    # New calls are refused from now on; calls in flight may take as long as they need, which grpc.aio cannot express.
    await server.stop(grace=365 * 24 * 3600)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves greeter.v1.Greeter on 127.0.0.1.")
    parser.add_argument("--port", type=port_number, default=50051, help="0 lets the system choose (default: 50051)")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two ticks (default: 1)")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.port, options.interval))
    except (OSError, RuntimeError) as error:
        parser.exit(1, f"error: cannot listen on 127.0.0.1:{options.port}: {error}; choose another port with --port\n")


if __name__ == "__main__":
    main()
