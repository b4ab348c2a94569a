"""The Greeter service in Python: run it, then talk to it with the client of any language.

python3 server.py [--port 50051] [--interval 1.0]
"""

import argparse
import random
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent import futures

import grpc
from greeter.v1 import greeter_pb2, greeter_pb2_grpc

TICKS = 10


class Greeter(greeter_pb2_grpc.GreeterServicer):  # type: ignore[misc]  # grpcio generates no types
    """One method for each of gRPC's four kinds. Every method prints the messages that it receives."""

    def __init__(self, interval: float = 1.0) -> None:
        """Prepare the service. `interval` is the time between two ticks of GetStream, in seconds."""
        self._interval = interval

    def SayHello(self, request: greeter_pb2.HelloRequest, context: grpc.ServicerContext) -> greeter_pb2.HelloReply:
        """Serve a unary RPC: one request, one response."""
        show("SayHello", request.name)
        return greeter_pb2.HelloReply(message=f"Hello, {request.name}")

    def GetStream(self, request: greeter_pb2.StreamReqData, context: grpc.ServicerContext) -> Iterator[greeter_pb2.StreamResData]:
        """Server streaming: each `yield` sends a message; returning ends the stream."""
        show("GetStream", request.data)
        # Nobody listens after a cancel or a deadline. Waiting for this event, instead of sleeping, notices that at once.
        over = threading.Event()
        context.add_callback(over.set)
        price = random.uniform(1_000, 3_000)
        for tick in range(1, TICKS + 1):
            if tick > 1 and over.wait(self._interval):
                return
            price *= random.uniform(0.99, 1.01)
            yield greeter_pb2.StreamResData(data=f"{request.data} {tick}/{TICKS} {price:.2f}")

    def PutStream(self, request_iterator: Iterator[greeter_pb2.StreamReqData], context: grpc.ServicerContext) -> greeter_pb2.StreamResData:
        """Client streaming: the iterator ends when the client has sent everything."""
        items = []
        for request in request_iterator:
            show("PutStream", request.data)
            items.append(request.data)
        return greeter_pb2.StreamResData(data=f"{len(items)} items, last {items[-1]}" if items else "0 items")

    def AllStream(
        self, request_iterator: Iterator[greeter_pb2.StreamReqData], context: grpc.ServicerContext
    ) -> Iterator[greeter_pb2.StreamResData]:
        """Bidirectional streaming: answers each message as it arrives."""
        for request in request_iterator:
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves greeter.v1.Greeter on 127.0.0.1.")
    parser.add_argument("--port", type=port_number, default=50051, help="0 lets the system choose (default: 50051)")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two ticks (default: 1)")
    options = parser.parse_args()

    # Each call that is being served occupies a thread, a stream for as long as it lasts.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=100), options=[("grpc.so_reuseport", 0)])
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(options.interval), server)
    try:
        check_port(options.port)
        port = server.add_insecure_port(f"127.0.0.1:{options.port}")
    except (OSError, RuntimeError) as error:
        parser.exit(1, f"error: cannot listen on 127.0.0.1:{options.port}: {error}; choose another port with --port\n")

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)

    stop.wait()
    # New calls are refused from now on; calls in flight may take as long as they need.
    server.stop(grace=threading.TIMEOUT_MAX).wait()


if __name__ == "__main__":
    main()
