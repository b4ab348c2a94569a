"""A way around conflicts of JSON names: protoc accepts some of them, or only warns, and Python's protobuf refuses the file."""

from google.protobuf import descriptor_pb2

_OTHER_ONEOF = "__called_otherwise"
"""Suffix for the name of a oneof that is a field's JSON name as well."""


def with_distinct_json_names(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """Return the same file with other JSON names for fields whose JSON name is taken, and other names for oneofs whose name is
    a JSON name. The functions below undo it."""
    changed = descriptor_pb2.FileDescriptorProto()
    changed.CopyFrom(file)
    for message in changed.message_type:
        _change(message)
    return changed


def true_json_name(json_name: str, number: int) -> str:
    """Return a field's JSON name as it was before: another field may have the same."""
    return json_name.removesuffix(f" {number}")


def true_oneof_name(name: str) -> str:
    """Return a oneof's name as it was before."""
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
