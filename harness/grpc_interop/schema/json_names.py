"""A way around conflicts of JSON names with others: protoc accepts some of them, or only warns, and Python's protobuf takes no
such file."""

from __future__ import annotations

from google.protobuf import descriptor_pb2

_OTHER_ONEOF = "__called_otherwise"
"""What a oneof's name ends with that is a field's JSON name as well."""


def with_distinct_json_names(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """Return the same file with another JSON name for whatever field has one that is taken, and another name for whatever
    oneof is called so. The functions below say what was there before."""
    changed = descriptor_pb2.FileDescriptorProto()
    changed.CopyFrom(file)
    for message in changed.message_type:
        _change(message)
    return changed


def true_json_name(json_name: str, number: int) -> str:
    """Return a field's JSON name before it was made distinct above: another field may have it, too."""
    return json_name.removesuffix(f" {number}")


def true_oneof_name(name: str) -> str:
    """Return a oneof's name before it was made distinct above."""
    return name.removesuffix(_OTHER_ONEOF)


def _change(message: descriptor_pb2.DescriptorProto) -> None:
    taken = {field.name for field in message.field}
    for field in message.field:
        if field.json_name != field.name:
            if field.json_name in taken:
                field.json_name = f"{field.json_name} {field.number}"
            taken.add(field.json_name)
    for oneof in message.oneof_decl:
        if oneof.name in taken:
            oneof.name += _OTHER_ONEOF
    for nested in message.nested_type:
        _change(nested)
