"""Messages carried without an RPC: what a driver is asked to read and write again, and its answer. Immutable data; the
counterpart of message Transcode in the driver contract."""

from __future__ import annotations

from typing import NamedTuple

from grpc_interop.core.side import Side
from grpc_interop.core.transcript import View


class Ask(NamedTuple):
    """Read each of these and write it again. `side` is who is asked; `data` are messages, at least one: binary, or ProtoJSON
    where `from_json`, in which `ignore_unknown` skips fields that are not known. `emit_zero`: the ProtoJSON that is written
    shows also what is zero. `type_name` is the full name of the type where it is not the case's own."""

    side: Side
    data: tuple[bytes, ...]
    from_json: bool = False
    to_json: bool = False
    to_view: bool = False
    ignore_unknown: bool = False
    emit_zero: bool = False
    type_name: str = ""


class Written(NamedTuple):
    """The message was read, and this was written."""

    binary: bytes
    json: str = ""
    view: View | None = None


class Refused(NamedTuple):
    """It could not be read or written; `text` says why, in the words of the runtime. `failed`: it is no word about the
    message; the driver itself went wrong."""

    text: str
    failed: bool = False


Answer = Written | Refused
