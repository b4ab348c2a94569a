"""Message types for the generator, the readers and the shrinker: plain data, made once from descriptors.

An attribute of a runtime's descriptor costs a call; attributes of shapes are read millions of times.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from google.protobuf.descriptor import Descriptor, EnumDescriptor
from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.json_names import true_json_name, true_oneof_name
from grpc_interop.wire import wire_format

WELL_KNOWN = frozenset(
    f"google.protobuf.{name}"
    for name in (
        "Any Timestamp Duration FieldMask Struct Value ListValue DoubleValue FloatValue Int64Value UInt64Value Int32Value "
        "UInt32Value BoolValue StringValue BytesValue"
    ).split()
)
"""Types with a ProtoJSON form of their own (protobuf.dev/programming-guides/json)."""

RUNTIMES_OWN = "google.protobuf."
"""The package of types that are part of protobuf itself."""

TEXTS = frozenset({Field.TYPE_STRING, Field.TYPE_BYTES})
SUBMESSAGES = frozenset({Field.TYPE_MESSAGE, Field.TYPE_GROUP})
FLOATING = frozenset({Field.TYPE_FLOAT, Field.TYPE_DOUBLE})


@dataclass(slots=True, eq=False)
class EnumShape:
    names: dict[str, int]  # in declaration order, aliases included
    closed: bool  # other numbers are kept as unknown fields
    is_null: bool  # google.protobuf.NullValue

    @property
    def numbers(self) -> list[int]:
        return list(dict.fromkeys(self.names.values()))

    @property
    def first_names(self) -> dict[int, str]:
        """The name of each number in the JSON of every runtime."""
        return {number: name for name, number in reversed(self.names.items())}


@dataclass(slots=True, eq=False)
class FieldShape:
    """A field; the well-known attributes are the descriptor's."""

    number: int
    name: str
    json_name: str
    type: int
    wire_type: int
    descriptor: Field
    repeated: bool
    packed: bool
    presence: bool  # a zero that is set differs from a field that is not set
    required: bool
    oneof: str  # the oneof that it is an arm of, but for synthetic oneofs
    enum: EnumShape | None = None
    closed: frozenset[int] | None = None  # the numbers of a closed enum
    key: "FieldShape | None" = None  # the key field of a map's entries
    mapped: "FieldShape | None" = None  # the value field of a map's entries
    inner: "Shape | None" = None
    ambiguous: bool = False  # its JSON name is another field's name as well

    @property
    def message(self) -> "Shape":
        """The type of a message or group field."""
        assert self.inner is not None
        return self.inner


@dataclass(slots=True, eq=False)
class Shape:
    """A message type."""

    name: str
    special: str  # its full name if it has a ProtoJSON form of its own, else empty
    fields: dict[int, FieldShape] = field(default_factory=dict)  # known extensions included
    undeclared: int = wire_format.MAX_FIELD_NUMBER  # the highest number without a field
    ordered: tuple[FieldShape, ...] = ()
    arms: dict[str, tuple[int, ...]] = field(default_factory=dict)
    required: tuple[FieldShape, ...] = ()
    extendable: bool = False  # it has extension ranges, with known extensions or without
    message_set: bool = False  # its extensions are written as items of a message set
    json_names: dict[str, FieldShape] = field(default_factory=dict)  # the fields by every name that ProtoJSON may use
    _floating: bool | None = None

    @property
    def can_hold(self) -> bool:
        """Whether it can have fields: then readers look into it."""
        return bool(self.ordered) or self.extendable

    @property
    def floating(self) -> bool:
        """Whether a message of the type can hold a floating-point number, at any depth."""
        if self._floating is None:
            self._floating = any(value.type in FLOATING for shape in self._within() for value in shape.ordered_values())
        return self._floating

    def ordered_values(self) -> Iterator[FieldShape]:
        """Yield the fields, and for maps the fields of their values."""
        return (declared.mapped or declared for declared in self.ordered)

    def _within(self) -> "Iterator[Shape]":
        """Yield the type and all types that it can hold, but for the content of an Any."""
        seen, rest = {self}, [self]
        while rest:
            yield (shape := rest.pop())
            for value in shape.ordered_values():
                if value.inner is not None and value.inner not in seen:
                    seen.add(value.inner)
                    rest.append(value.inner)


class Shapes:
    """The shapes of a catalog's types, each made at its first use."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._shapes: dict[str, Shape] = {}

    def of(self, type_name: str) -> Shape:
        """Return the shape of a type. Raise KeyError for a type that the catalog does not have."""
        return self._shapes.get(type_name) or self._make(self.catalog.message(type_name))

    def driven(self) -> Iterator[str]:
        """Yield the full names of the types of the roots' files, but for copies of protobuf's own types: every runtime has its
        own version of these, which may lack fields of the copy."""
        return (name for name in self.catalog.messages() if not name.startswith(RUNTIMES_OWN))

    def _make(self, descriptor: Descriptor) -> Shape:
        name = descriptor.full_name
        if name in self._shapes:
            return self._shapes[name]
        # Stored before its fields are made: a type may hold itself.
        shape = self._shapes[name] = Shape(name, name if name in WELL_KNOWN else "")
        declared = [*descriptor.fields, *self.catalog.extensions(descriptor)]
        fields = [self._field(field) for field in sorted(declared, key=lambda field: field.number)]
        shape.extendable = bool(descriptor.is_extendable)
        shape.message_set = descriptor.GetOptions().message_set_wire_format
        shape.fields = {field.number: field for field in fields}
        shape.ordered = tuple(fields)
        # A JSON name goes before another field's own name; the first of two fields with the same JSON name goes before the second.
        shape.json_names = {field.name: field for field in fields} | {field.json_name: field for field in reversed(fields)}
        shape.required = tuple(field for field in fields if field.required)
        for arm in fields:
            if arm.oneof:
                shape.arms[arm.oneof] = (*shape.arms.get(arm.oneof, ()), arm.number)
        while shape.undeclared in shape.fields or 19_000 <= shape.undeclared <= 19_999:
            shape.undeclared -= 1
        return shape

    def _field(self, descriptor: Field) -> FieldShape:
        entry = descriptor.message_type
        if entry is not None and not entry.GetOptions().map_entry:
            entry = None
        oneof = descriptor.containing_oneof
        # A proto3 `optional` is a oneof with a single arm, made by protoc: it does not count.
        real = oneof is not None and len(oneof.fields) > 1
        enum = _enum(descriptor.enum_type) if descriptor.enum_type is not None else None
        json_name = descriptor.name if descriptor.is_extension else true_json_name(str(descriptor.json_name), descriptor.number)
        return FieldShape(
            number=descriptor.number,
            name=f"[{descriptor.full_name}]" if descriptor.is_extension else descriptor.name,
            json_name=f"[{descriptor.full_name}]" if descriptor.is_extension else json_name,
            type=descriptor.type,
            wire_type=wire_format.wire_type(descriptor),
            descriptor=descriptor,
            repeated=descriptor.is_repeated,
            packed=descriptor.is_packed,
            presence=descriptor.has_presence,
            required=descriptor.is_required,
            oneof=true_oneof_name(oneof.name) if real and oneof is not None else "",
            enum=enum,
            closed=frozenset(enum.names.values()) if enum is not None and enum.closed else None,
            key=self._field(entry.fields_by_number[1]) if entry is not None else None,
            mapped=self._field(entry.fields_by_number[2]) if entry is not None else None,
            inner=self._make(descriptor.message_type) if descriptor.message_type is not None and entry is None else None,
            ambiguous=not descriptor.is_extension and json_name != descriptor.json_name,
        )


def _enum(descriptor: EnumDescriptor) -> EnumShape:
    names = {value.name: value.number for value in descriptor.values}
    return EnumShape(names, bool(descriptor.is_closed), descriptor.full_name == "google.protobuf.NullValue")
