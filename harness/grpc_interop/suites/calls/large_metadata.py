"""Unary calls with more metadata than some runtimes take. The limit belongs to the runtime, not to the RPC: a single RPC of a
tree is enough."""

from grpc_interop.core.case import Entry, Finish, Lane, Receive, Status
from grpc_interop.suites.calls.draw import Draw
from grpc_interop.suites.calls.shape import ABOVE_LIMIT, OK_END, TO_END, CallShape, Scripts, sized


def _metadata_huge(draw: Draw) -> Scripts:
    return _scripts(draw, (*draw.responses(1), OK_END), sized(ABOVE_LIMIT, "request"))


def _trailers_huge(draw: Draw) -> Scripts:
    return _scripts(draw, (Finish(Status(9, "with huge trailers", trailers=sized(ABOVE_LIMIT, "trailers"))),))


def _status_huge(draw: Draw) -> Scripts:
    return _scripts(draw, (Finish(Status(11, "x" * ABOVE_LIMIT)),))


def _scripts(draw: Draw, answer: Lane, metadata: tuple[Entry, ...] = ()) -> Scripts:
    # Metadata that is too large for a side may end the connection, and all calls on it.
    return Scripts(((*draw.requests(1), TO_END),), ((Receive(), *answer),), metadata, own_connection=True)


LIMITS = (
    CallShape("metadata_huge", "20,000 bytes of request metadata reach the server.", _metadata_huge),
    CallShape("trailers_huge", "20,000 bytes of trailing metadata reach the client, with the status.", _trailers_huge),
    CallShape("status_huge", "A status message of 20,000 bytes reaches the client whole.", _status_huge),
)
