"""Message types as the generator, the readers and the shrinker need them: plain data, made once from descriptors.

Descriptors of a runtime are slow to ask, and each question costs a call; a shape is asked millions of times.
"""

from __future__ import annotations

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
"""The types that ProtoJSON writes in a form of their own (protobuf.dev/programming-guides/json)."""

RUNTIMES_OWN = "google.protobuf."
"""What a type's full name begins with that is part of protobuf itself."""

TEXTS = frozenset({Field.TYPE_STRING, Field.TYPE_BYTES})
SUBMESSAGES = frozenset({Field.TYPE_MESSAGE, Field.TYPE_GROUP})
FLOATING = frozenset({Field.TYPE_FLOAT, Field.TYPE_DOUBLE})


@dataclass(slots=True, eq=False)
class EnumShape:
    """`names` in declaration order; of aliases, every name. `closed`: other numbers are kept as unknown fields."""

    names: dict[str, int]
    closed: bool
    is_null: bool

    @property
    def numbers(self) -> list[int]:
        return list(dict.fromkeys(self.names.values()))

    @property
    def first_names(self) -> dict[int, str]:
        """The name of each number with which every runtime writes it in JSON."""
        return {number: name for name, number in reversed(self.names.items())}


@dataclass(slots=True, eq=False)
class FieldShape:
    """One field. `presence`: its zero, when set, is not the same as not being set. `oneof` names the oneof it is an arm
    of, synthetic ones left out. `key` and `mapped` are the fields of a map's entries, else None. `closed` holds the
    numbers of a closed enum, else None. `ambiguous`: its JSON name is another field's name as well."""

    number: int
    name: str
    json_name: str
    type: int
    wire_type: int
    descriptor: Field
    repeated: bool
    packed: bool
    presence: bool
    required: bool
    oneof: str
    enum: EnumShape | None = None
    closed: frozenset[int] | None = None
    key: FieldShape | None = None
    mapped: FieldShape | None = None
    inner: Shape | None = None
    ambiguous: bool = False

    @property
    def message(self) -> Shape:
        """The type of a message or group field."""
        assert self.inner is not None
        return self.inner


@dataclass(slots=True, eq=False)
class Shape:
    """One message type, its known extensions among its fields. `special` is its full name if ProtoJSON writes it in a
    form of its own, else empty. `undeclared` is the highest number that is no field. `extendable`: it leaves numbers to
    extensions, be any known or none. `message_set`: its extensions are written in the form of items. `json_names`: the
    fields by the names that ProtoJSON may use for them."""

    name: str
    special: str
    fields: dict[int, FieldShape] = field(default_factory=dict)
    undeclared: int = wire_format.MAX_FIELD_NUMBER
    ordered: tuple[FieldShape, ...] = ()
    arms: dict[str, tuple[int, ...]] = field(default_factory=dict)
    required: tuple[FieldShape, ...] = ()
    extendable: bool = False
    message_set: bool = False
    json_names: dict[str, FieldShape] = field(default_factory=dict)
    _floating: bool | None = None

    @property
    def can_hold(self) -> bool:
        """Whether anybody can declare a field of it: then readers look into it."""
        return bool(self.ordered) or self.extendable

    @property
    def floating(self) -> bool:
        """Whether a floating-point number can be in a message of the type, or in what it holds."""
        if self._floating is None:
            self._floating = any(one.type in FLOATING for shape in self._within() for one in shape.ordered_values())
        return self._floating

    def ordered_values(self) -> Iterator[FieldShape]:
        """The fields, of maps that of the values."""
        return (one.mapped or one for one in self.ordered)

    def _within(self) -> Iterator[Shape]:
        """The type and all that it can hold, each once; what an Any holds is bytes."""
        found, rest = {self: None}, [self]
        while rest:
            yield (shape := rest.pop())
            for one in shape.ordered_values():
                if one.inner is not None and one.inner not in found:
                    found[one.inner] = None
                    rest.append(one.inner)


class Shapes:
    """The shapes of a catalog's types, each made when first asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._shapes: dict[str, Shape] = {}

    def of(self, type_name: str) -> Shape:
        """Raises KeyError for a type that the catalog does not hold."""
        found = self._shapes.get(type_name)
        return found or self._make(self.catalog.message(type_name))

    def driven(self) -> Iterator[str]:
        """The full names of the types of the roots' files, but for a copy of what every runtime brings along in a version
        of its own: with that nothing is promised of fields that only the copy has."""
        return (name for name in self.catalog.messages() if not name.startswith(RUNTIMES_OWN))

    def _make(self, descriptor: Descriptor) -> Shape:
        found = self._shapes.get(descriptor.full_name)
        if found is not None:
            return found
        name = descriptor.full_name
        # Kept before its fields are looked at: a type may hold itself.
        shape = self._shapes[name] = Shape(name, name if name in WELL_KNOWN else "")
        declared = [*descriptor.fields, *self.catalog.extensions(descriptor)]
        fields = [self._field(one) for one in sorted(declared, key=lambda one: one.number)]
        shape.extendable = bool(descriptor.is_extendable)
        shape.message_set = descriptor.GetOptions().message_set_wire_format
        shape.fields = {one.number: one for one in fields}
        shape.ordered = tuple(fields)
        # A JSON name goes before another field's own name, and of two fields with one JSON name the first before the second.
        shape.json_names = {one.name: one for one in fields} | {one.json_name: one for one in reversed(fields)}
        shape.required = tuple(one for one in fields if one.required)
        for one in fields:
            if one.oneof:
                shape.arms[one.oneof] = (*shape.arms.get(one.oneof, ()), one.number)
        while shape.undeclared in shape.fields or 19_000 <= shape.undeclared <= 19_999:
            shape.undeclared -= 1
        return shape

    def _field(self, one: Field) -> FieldShape:
        entry = one.message_type
        if entry is not None and not entry.GetOptions().map_entry:
            entry = None
        oneof = one.containing_oneof
        # A proto3 `optional` is a oneof of one arm, made by protoc: as good as none.
        real = oneof is not None and len(oneof.fields) > 1
        enum = _enum(one.enum_type) if one.enum_type is not None else None
        json_name = one.name if one.is_extension else true_json_name(str(one.json_name), one.number)
        return FieldShape(
            number=one.number,
            name=f"[{one.full_name}]" if one.is_extension else one.name,
            json_name=f"[{one.full_name}]" if one.is_extension else json_name,
            type=one.type,
            wire_type=wire_format.wire_type(one),
            descriptor=one,
            repeated=one.is_repeated,
            packed=one.is_packed,
            presence=one.has_presence,
            required=one.is_required,
            oneof=true_oneof_name(oneof.name) if real and oneof is not None else "",
            enum=enum,
            closed=frozenset(enum.names.values()) if enum is not None and enum.closed else None,
            key=self._field(entry.fields_by_number[1]) if entry is not None else None,
            mapped=self._field(entry.fields_by_number[2]) if entry is not None else None,
            inner=self._make(one.message_type) if one.message_type is not None and entry is None else None,
            ambiguous=not one.is_extension and json_name != one.json_name,
        )


def _enum(descriptor: EnumDescriptor) -> EnumShape:
    names = {value.name: value.number for value in descriptor.values}
    return EnumShape(names, bool(descriptor.is_closed), descriptor.full_name == "google.protobuf.NullValue")
