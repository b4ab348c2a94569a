"""Messages of the proto tree: find their types by name, parse them, and report them as the contract demands."""

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message

from driver import protojson
from driver.contract import pb
from driver.methods import METHODS
from driver.view import view_of

CONFUSED = (AttributeError, DecodeError, OverflowError, TypeError, ValueError, RecursionError)
"""Exceptions that json_format raises beside its own: for fields that are named like methods, for an Any with bytes that
do not parse, for times that are out of range."""


class UnreadableError(Exception):
    """A message cannot be parsed or written; the text says why, for people."""


def message_class(name: str) -> type[Message]:
    """Return the generated class of a message type. Raise UnreadableError if there is none."""
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(name)
    except KeyError:
        raise UnreadableError(f"no message {name} in the protos that this driver was built with") from None
    return message_factory.GetMessageClass(descriptor)


def parsed(name: str, binary: bytes) -> Message:
    """Parse these bytes. Raise UnreadableError."""
    message = message_class(name)()
    try:
        METHODS.MergeFromString(message, binary)
    except DecodeError as error:
        raise UnreadableError(f"{name}: {error}") from error
    return message


def parsed_json(name: str, text: bytes, ignore_unknown: bool) -> Message:
    """Parse this ProtoJSON. Raise UnreadableError."""
    message = message_class(name)()
    try:
        json_format.Parse(text, message, ignore_unknown_fields=ignore_unknown)
    except (json_format.ParseError, *CONFUSED) as error:
        raise UnreadableError(f"{name}: {error}") from error
    return message


def report_into(target: pb.Message, message: Message, view: bool) -> None:
    """Write a message into a report."""
    # A message that lacks a required field is reported as it is: the driver does not judge whether that is wrong.
    target.binary = METHODS.SerializePartialToString(message, deterministic=True)
    if view:
        target.view.CopyFrom(view_of(message))


def json_of(message: Message, emit_zero: bool = False) -> str:
    """Return a message as ProtoJSON. Raise UnreadableError if it cannot be written so."""
    try:
        text = protojson.written(message, emit_zero)
        text.encode()
    except (json_format.SerializeToJsonError, *CONFUSED) as error:
        # The name is not read from the descriptor: a field called DESCRIPTOR would hide it.
        raise UnreadableError(f"a {type(message).__name__} cannot be written as ProtoJSON: {error}") from error
    return text


def transcoded(order: pb.Transcode) -> pb.Message:
    """Return the answer to a Transcode command. Raise UnreadableError."""
    from_json = order.from_json
    message = parsed_json(order.type, order.data, order.ignore_unknown) if from_json else parsed(order.type, order.data)
    answer = pb.Message()
    report_into(answer, message, order.to_view)
    if order.to_json:
        answer.json = json_of(message, order.emit_zero)
    return answer
