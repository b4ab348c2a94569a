"""A way around conflicts of JSON names: protoc only warns of them in proto2, and Python's protobuf takes no such file."""

from __future__ import annotations

from google.protobuf import descriptor_pb2


def with_distinct_json_names(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """The same file with another JSON name for whatever field has one that is taken: only what is binary stays true."""
    changed = descriptor_pb2.FileDescriptorProto()
    changed.CopyFrom(file)
    for message in changed.message_type:
        _change(message)
    return changed


def true_json_name(json_name: str, number: int) -> str:
    """A field's JSON name before it was made distinct above: another field may have it, too."""
    return json_name.removesuffix(f" {number}")


def _change(message: descriptor_pb2.DescriptorProto) -> None:
    taken = {field.name for field in message.field}
    for field in message.field:
        if field.json_name != field.name:
            if field.json_name in taken:
                field.json_name = f"{field.json_name} {field.number}"
            taken.add(field.json_name)
    for nested in message.nested_type:
        _change(nested)
