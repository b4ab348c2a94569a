"""Messages of the proto tree: found by name, parsed, and reported as the contract wants them."""

from __future__ import annotations

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message

from driver import protojson
from driver.contract import pb
from driver.methods import METHODS
from driver.view import view_of

CONFUSED = (AttributeError, DecodeError, OverflowError, TypeError, ValueError, RecursionError)
"""What json_format raises beside its own errors: of fields that are called like methods, of an Any with bytes that are no
message, of times that are out of range."""


class UnreadableError(Exception):
    """A message cannot be parsed or written; the text says why, for people."""


def message_class(name: str) -> type[Message]:
    """The generated class of a message type. Raises UnreadableError if there is none."""
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(name)
    except KeyError:
        raise UnreadableError(f"no message {name} in the protos that this driver was built with") from None
    return message_factory.GetMessageClass(descriptor)


def parsed(name: str, binary: bytes) -> Message:
    """The message in these bytes. Raises UnreadableError."""
    message = message_class(name)()
    try:
        METHODS.MergeFromString(message, binary)
    except DecodeError as error:
        raise UnreadableError(f"{name}: {error}") from error
    return message


def parsed_json(name: str, text: bytes, ignore_unknown: bool) -> Message:
    """The message in this ProtoJSON. Raises UnreadableError."""
    message = message_class(name)()
    try:
        json_format.Parse(text, message, ignore_unknown_fields=ignore_unknown)
    except (json_format.ParseError, *CONFUSED) as error:
        raise UnreadableError(f"{name}: {error}") from error
    return message


def report_into(target: pb.Message, message: Message, view: bool) -> None:
    """Writes a message into a report."""
    # A message that lacks a required field is reported as it is: whether that is wrong is not the driver's to say.
    target.binary = METHODS.SerializePartialToString(message, deterministic=True)
    if view:
        target.view.CopyFrom(view_of(message))


def json_of(message: Message, emit_zero: bool = False) -> str:
    """A message as ProtoJSON. Raises UnreadableError if it cannot be written so."""
    try:
        text = protojson.written(message, emit_zero)
        text.encode()
    except (json_format.SerializeToJsonError, *CONFUSED) as error:
        # Not named by its descriptor: a field may be called DESCRIPTOR, and hide it.
        raise UnreadableError(f"a {type(message).__name__} cannot be written as ProtoJSON: {error}") from error
    return text


def transcoded(order: pb.Transcode) -> pb.Message:
    """The answer to a Transcode command. Raises UnreadableError."""
    from_json = order.from_json
    message = parsed_json(order.type, order.data, order.ignore_unknown) if from_json else parsed(order.type, order.data)
    answer = pb.Message()
    report_into(answer, message, order.to_view)
    if order.to_json:
        answer.json = json_of(message, order.emit_zero)
    return answer
