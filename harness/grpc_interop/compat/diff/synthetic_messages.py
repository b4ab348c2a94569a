"""Messages that hold the enums which no field uses. Values of such enums reach other programs all the same, in a user's JSON
or as bare numbers. Both versions are built with an additional file, in which a message holds each enum, so that it can be sent."""

from collections.abc import Collection, Iterator

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import EnumDescriptor

from grpc_interop.compat.diff.definitions import Definitions
from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.schema.catalog import Catalog

PACKAGE = "held_by_interop"
FILE = f"{PACKAGE}/enums.proto"
"""A name of our own: a user's file of the same name would be taken for it."""

Field = descriptor_pb2.FieldDescriptorProto


def unused_enums(schemas: MatchedSchemas) -> list[str]:
    """Return the full names of the enums that both versions declare, that differ, and that no field has in both."""
    base, head = (Definitions(shapes.catalog) for shapes in (schemas.base, schemas.head))
    own = {*schemas.base.catalog.files}
    used = set(_used(schemas))
    return [
        name
        for name, enum in base.enums.items()
        if name in head.enums and name not in used and enum.file.name in own and _values(enum) != _values(head.enums[name])
    ]


def _values(enum: EnumDescriptor) -> tuple[bool, list[tuple[str, int]]]:
    return enum.is_closed, [(value.name, value.number) for value in enum.values]


def _used(schemas: MatchedSchemas) -> Iterator[str]:
    for pair in schemas.types:
        for both in pair.fields:
            if both.base and both.head:
                old, new = ((field.mapped or field).descriptor.enum_type for field in (both.base, both.head))
                if old is not None and new is not None and old.full_name == new.full_name:
                    yield old.full_name


def with_synthetic_messages(catalog: Catalog, enums: Collection[str]) -> Catalog:
    """Return the catalog with a message for each of these enums that it declares; itself where it declares none."""
    declared = [enum for name, enum in Definitions(catalog).enums.items() if name in enums]
    if not declared:
        return catalog
    # proto2 is the only syntax whose fields may have closed and open enums.
    file = descriptor_pb2.FileDescriptorProto(name=FILE, package=PACKAGE, syntax="proto2")
    file.dependency.extend(sorted({enum.file.name for enum in declared}))
    for enum in declared:
        message = file.message_type.add(name="Held_" + enum.full_name.replace(".", "_"))
        for number, (name, label) in enumerate((("one", Field.LABEL_OPTIONAL), ("several", Field.LABEL_REPEATED)), 1):
            message.field.add(name=name, number=number, label=label, type=Field.TYPE_ENUM, type_name=f".{enum.full_name}", json_name=name)
    whole = descriptor_pb2.FileDescriptorSet.FromString(catalog.descriptor_set())
    whole.file.append(file)
    return Catalog([*catalog.files, FILE], whole.SerializeToString(deterministic=True))


def is_synthetic(element: str) -> bool:
    """Return whether an element belongs to a synthetic message, and so to no user's protos."""
    return element.startswith(f"{PACKAGE}.")
