"""Scalar values that show their field, or the number of their message."""

from google.protobuf.descriptor import FieldDescriptor as Field

from grpc_interop.wire import wire_format


def value_of(field: Field, number: int) -> wire_format.PythonScalar:
    """Return a value that is not the type's zero, and that shows the number where the type has room for it."""
    if field.type == Field.TYPE_STRING:
        return f"{field.name} {number}"
    if field.type == Field.TYPE_BYTES:
        return f"{field.name} {number} ".encode() + b"\xff\x00"
    if field.type in (Field.TYPE_FLOAT, Field.TYPE_DOUBLE):
        return number + 0.5
    if field.type in (Field.TYPE_SINT32, Field.TYPE_SINT64, Field.TYPE_SFIXED32, Field.TYPE_SFIXED64):
        return -number
    if field.type == Field.TYPE_BOOL:
        return True
    if field.type == Field.TYPE_ENUM:
        assert field.enum_type is not None
        numbers = [value.number for value in field.enum_type.values]
        telling = [value for value in numbers if value] or numbers
        return telling[number % len(telling)]
    return number


def non_default(field: Field) -> wire_format.PythonScalar:
    """Return a scalar that is neither zero nor the default that the field declares; the default where a closed enum has no
    other value."""
    if field.enum_type is not None and len(field.enum_type.values_by_number) == 1 and not field.enum_type.is_closed:
        return field.enum_type.values[0].number + 1
    candidates = (True, False) if field.type == Field.TYPE_BOOL else (value_of(field, 1), value_of(field, 2))
    return next((value for value in candidates if value != field.default_value), candidates[0])
