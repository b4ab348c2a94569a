"""The shapes of the `calls` suite: the courses that an RPC can take, in a table for each kind of method."""

from grpc_interop.core.case import Kind
from grpc_interop.suites.calls import bidi_streaming, client_streaming, server_streaming, unary
from grpc_interop.suites.calls.shape import CallShape

SHAPES: dict[Kind, tuple[CallShape, ...]] = {
    Kind.UNARY: unary.SHAPES,
    Kind.SERVER_STREAMING: server_streaming.SHAPES,
    Kind.CLIENT_STREAMING: client_streaming.SHAPES,
    Kind.BIDI_STREAMING: bidi_streaming.SHAPES,
}
