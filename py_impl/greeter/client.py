"""A client for the Greeter service in Python: talks to the server of any language.

python3 client.py [--target 127.0.0.1:50051] [--timeout SECONDS] say-hello World
"""

import argparse
import sys
from collections.abc import Iterable, Iterator

import grpc
from greeter.v1 import greeter_pb2, greeter_pb2_grpc


def texts(stub: greeter_pb2_grpc.GreeterStub, options: argparse.Namespace) -> Iterator[str]:
    """Make the call that the options name, and yield the text of each answer as it arrives."""
    match options.method:
        case "say-hello":
            yield stub.SayHello(greeter_pb2.HelloRequest(name=options.name), timeout=options.timeout).message
        case "get-stream":
            request = greeter_pb2.StreamReqData(data=options.symbol)
            for response in stub.GetStream(request, timeout=options.timeout):
                yield response.data
        case "put-stream":
            yield stub.PutStream(requests(options.items), timeout=options.timeout).data
        case "all-stream":
            # grpcio takes the requests in a thread of its own: both directions flow at the same time.
            for response in stub.AllStream(requests(options.items), timeout=options.timeout):
                yield response.data


def requests(items: list[str]) -> Iterator[greeter_pb2.StreamReqData]:
    """Yield one request per item, or per line of stdin if there are none. The end of the iterator half-closes the call."""
    lines: Iterable[str] = items or (line.rstrip("\n") for line in sys.stdin)
    for line in lines:
        yield greeter_pb2.StreamReqData(data=line)


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


def main() -> int:
    options = arguments()
    with grpc.insecure_channel(options.target) as channel:
        try:
            for text in texts(greeter_pb2_grpc.GreeterStub(channel), options):
                print(text, flush=True)
        except grpc.RpcError as error:
            print(f"error: {error.code().name}: {error.details()}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)  # as shells do
