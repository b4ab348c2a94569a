"""greeter.v1 as this driver knows it: four methods, four messages that each hold one string."""

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from grpc_interop.drivers import driver_pb2 as pb

METHODS = {
    "/greeter.v1.Greeter/SayHello": ("unary_unary", "greeter.v1.HelloRequest", "greeter.v1.HelloReply"),
    "/greeter.v1.Greeter/GetStream": ("unary_stream", "greeter.v1.StreamReqData", "greeter.v1.StreamResData"),
    "/greeter.v1.Greeter/PutStream": ("stream_unary", "greeter.v1.StreamReqData", "greeter.v1.StreamResData"),
    "/greeter.v1.Greeter/AllStream": ("stream_stream", "greeter.v1.StreamReqData", "greeter.v1.StreamResData"),
}

_FIELDS = {"HelloRequest": "name", "HelloReply": "message", "StreamReqData": "data", "StreamResData": "data"}


def _classes() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(name="reference.proto", package="greeter.v1", syntax="proto3")
    for name, field in _FIELDS.items():
        file.message_type.add(name=name).field.add(name=field, number=1, type=9, label=1, json_name=field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {f"greeter.v1.{name}": message_factory.GetMessageClass(pool.FindMessageTypeByName(f"greeter.v1.{name}")) for name in _FIELDS}


_CLASSES = _classes()


def parse(type_name: str, data: bytes, *, from_json: bool = False, ignore_unknown: bool = False) -> Message:
    """Raises ValueError."""
    if type_name not in _CLASSES:
        raise ValueError(f"{type_name} is not a type that this driver knows")
    try:
        if from_json:
            return json_format.Parse(data, _CLASSES[type_name](), ignore_unknown_fields=ignore_unknown)
        return _CLASSES[type_name].FromString(data)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"not a {type_name}: {error}") from None


def show(message: Message, *, json: bool, view: bool, emit_zero: bool = False) -> pb.Message:
    """The message as the contract reports it."""
    shown = pb.Message(binary=message.SerializeToString(deterministic=True))
    if json:
        shown.json = json_format.MessageToJson(message, always_print_fields_with_no_presence=emit_zero, indent=None)
    if view:
        for field, value in message.ListFields():
            shown.view.fields.add(number=field.number).values.add(text=value.encode())
        shown.view.unknown = _unknown(message)
    return shown


def _unknown(message: Message) -> bytes:
    if not len(UnknownFieldSet(message)):
        return b""
    known = type(message)()
    for field, value in message.ListFields():
        setattr(known, field.name, value)
    # Unknown fields are written after the known ones.
    return message.SerializeToString()[known.ByteSize() :]
