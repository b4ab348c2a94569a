"""Replay texts and images from a hostile author: a service whose names are given, and no protoc in the way."""

import base64
import gzip
import json
import zlib
from typing import Any

from google.protobuf import descriptor_pb2 as pb

from grpc_interop.core.case import Case, Finish, Kind, Method, Receive, ReceiveToEnd, Send
from grpc_interop.core.verdict import Pair
from grpc_interop.repro.case_text import encode

NAMES = {
    "file": "x.proto",
    "package": "p",
    "message": "M",
    "field": "f",
    "service": "S",
    "method": "Do",
    "enum": "E",
    "value": "V",
    "oneof": "o",
}


def descriptor_set(**names: str) -> bytes:
    """Of NAMES, some may be other ones."""
    told = NAMES | names
    file = pb.FileDescriptorProto(name=told["file"], package=told["package"], syntax="proto3")
    message = file.message_type.add(name=told["message"])
    kind = pb.FieldDescriptorProto.TYPE_STRING
    message.field.add(name=told["field"], number=1, type=kind, label=pb.FieldDescriptorProto.LABEL_OPTIONAL, oneof_index=0)
    message.oneof_decl.add(name=told["oneof"])
    file.enum_type.add(name=told["enum"]).value.add(name=told["value"], number=0)
    full_name = f".{told['package']}.{told['message']}"
    file.service.add(name=told["service"]).method.add(name=told["method"], input_type=full_name, output_type=full_name)
    return pb.FileDescriptorSet(file=[file]).SerializeToString()


def case(**names: str) -> Case:
    """One call of the method."""
    told = NAMES | names
    full_name = f"{told['package']}.{told['message']}"
    method = Method(f"{told['package']}.{told['service']}", told["method"], Kind.UNARY, full_name, full_name)
    return Case("calls", "one", method, ((Send(b""), ReceiveToEnd()),), ((Receive(), Send(b""), Finish()),))


def replay_text(**names: str) -> str:
    """Of the call, on py:py."""
    return encode(case(**names), Pair("py", "py"), descriptor_set(**names))


def versions_text(**names: str) -> str:
    """The same between two versions that are equal."""
    told = NAMES | names
    side = {"files": [told["file"]], "protos": descriptor_set(**names).decode("latin-1")}
    knock = {"method": f"{told['package']}.{told['service']}/{told['method']}", "client": "base", "requests": [""], "responses": [""]}
    value = {"contract": 1, "pair": "py:py", "element": "e", "outcome": "lost", "knock": knock, "base": side, "head": side}
    return packed("iv1:", json.dumps(value).encode())


def packed(prefix: str, plain: bytes) -> str:
    """Any content as a replay text."""
    return prefix + base64.urlsafe_b64encode(zlib.compress(plain, 9)).decode().rstrip("=")


def changed(text: str, *path: str, to: Any) -> str:
    """A replay text with another value at that place."""
    prefix, _, rest = text.partition(":")
    value = json.loads(zlib.decompress(base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4))))
    place = value
    for step in path[:-1]:
        place = place[int(step) if isinstance(place, list) else step]
    place[int(path[-1]) if isinstance(place, list) else path[-1]] = to
    return packed(f"{prefix}:", json.dumps(value).encode())


def compressed(content: bytes) -> bytes:
    return gzip.compress(content)
