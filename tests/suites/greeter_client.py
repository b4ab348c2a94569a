"""A Greeter client for the tests: `greeter_client.py --target HOST:PORT say-hello NAME | get-stream SYMBOL | ...`."""

import sys

import grpc

from grpc_interop.programs.templates import message, text


def main() -> int:
    _, option, target, command, *given = sys.argv
    assert option == "--target"
    method = "/greeter.v1.Greeter/" + "".join(part.title() for part in command.split("-"))
    codec = {"request_serializer": message, "response_deserializer": text}
    typed = (line.removesuffix("\n") for line in sys.stdin)
    with grpc.insecure_channel(target) as channel:
        try:
            if command == "say-hello":
                print(channel.unary_unary(method, **codec)(given[0]), flush=True)
            elif command == "put-stream":
                print(channel.stream_unary(method, **codec)(typed), flush=True)
            else:
                stream = channel.stream_stream(method, **codec)(typed) if not given else channel.unary_stream(method, **codec)(given[0])
                for said in stream:
                    print(said, flush=True)
        except grpc.RpcError as error:
            print(f"error: {error.code().name}: {error.details()}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
