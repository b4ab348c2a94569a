"""Messages carried without an RPC: a request to a driver to read messages and write them again, and its answers. Immutable
data; the counterpart of message Transcode in the driver contract."""

from typing import NamedTuple

from grpc_interop.core.side import Side
from grpc_interop.core.transcript import View


class Ask(NamedTuple):
    """The request to read each of some messages and to write it again."""

    side: Side  # the side that is asked
    data: tuple[bytes, ...]  # at least one message: binary, or ProtoJSON where `from_json`
    from_json: bool = False
    to_json: bool = False
    to_view: bool = False
    ignore_unknown: bool = False  # skip unknown fields of the ProtoJSON that is read
    emit_zero: bool = False  # write fields that are zero to the ProtoJSON, too
    type_name: str = ""  # the full name of the messages' type, where it is not the case's own


class Written(NamedTuple):
    """The message was read and written again."""

    binary: bytes
    json: str = ""
    view: View | None = None


class Refused(NamedTuple):
    """The message could not be read or written."""

    text: str  # the reason, in the words of the runtime
    failed: bool = False  # the driver itself went wrong, so that the answer says nothing about the message


Answer = Written | Refused
