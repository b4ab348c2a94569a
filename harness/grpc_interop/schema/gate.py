"""The gate for untrusted descriptors: in an image, or in a replay text.

Code generators trust descriptors, since protoc made them: they write names into programs as they are, and derive paths
from them. A descriptor set of unknown origin need not have passed protoc. So the gate admits only names that protoc
would admit, and file names that stay below their folder and that every generator takes for file names.
Comments are not checked: the catalog drops them before any generator sees the descriptors. Pure.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from google.protobuf import descriptor_pb2 as pb
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from grpc_interop.schema.text import set_fields

LONGEST_PART, LONGEST_NAME = 255, 2048
"""Bytes of an element of a path (the limit of file systems), and of a whole path, to which a folder is added, or another name."""

MOST_SHOWN = 60
"""Characters of a name in an error."""

_PLAIN = frozenset(string.ascii_letters + string.digits + "_ /.-+@=~()&%!^")
"""The ASCII characters of file names. Generators write names unescaped between quotes (protoc's for Python in '', grpc-go's
in ""), and protoc's for Python also without quotes, in an import statement: there the rest after a comma, a semicolon or
a # would be code, and each other missing character would be an error."""

_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that no language admits in a text between quotes: controls, lone surrogates, line ends."""

_UNSEEN = _CONTROLS | {"Cf", "Co", "Cn", "Zs"}
"""Also the invisible characters, and the characters that change the direction of text."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*)?")
_REFERENCE = re.compile(r"(\.?[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*)?")
_SYNTAX = re.compile(r"(proto2|proto3|editions)?")
_LANGUAGE_NAME = re.compile(r"[\w./\\:;@~+$=-]*")
"""Namespaces, packages and prefixes of any language; generators copy them as they are."""
_NUMBER = re.compile(r"-?(inf|nan|[0-9][0-9A-Fa-fxX.eE+-]*)")
_ESCAPED = re.compile(r"([ !#-\[\]-~]+|\\[ -~])*")
"""Bytes as protoc escapes them, for a text between double quotes."""


class NotAdmitted(ValueError):
    """The set is not let in. The text completes a sentence that begins with the set."""


def read(content: bytes) -> pb.FileDescriptorSet:
    """Return the descriptor set. Raise NotAdmitted."""
    try:
        parsed = pb.FileDescriptorSet.FromString(content)
    except DecodeError:
        raise NotAdmitted("is not a descriptor set") from None
    for file in parsed.file:
        for fault in _faults(file):
            raise NotAdmitted(fault)
    return parsed


def wrong_file_name(name: str, _: Any = None) -> str:
    """Return why a file must not have the name; empty for an admitted name."""
    parts = name.split("/")
    if {"", ".", ".."} & set(parts):
        return "a file's name is a relative path without empty parts, `.` and `..`"
    if name[0] in "-@":
        return f"command lines take a name that begins with {name[0]} for an option"
    if wrong := next((char for char in name if not _may_be_in_file_name(char)), ""):
        return f"generators write the name into programs, where {wrong!a} may end it"
    if len(name.encode()) > LONGEST_NAME or any(len(part.encode()) > LONGEST_PART for part in parts):
        return f"a file's name has at most {LONGEST_NAME:,} bytes, and {LONGEST_PART} between slashes"
    return ""


def _may_be_in_file_name(char: str) -> bool:
    return char in _PLAIN if char.isascii() else unicodedata.category(char) not in _UNSEEN


def shown(text: str) -> str:
    """Return a text for an error: in quotes, escaped and short."""
    return ascii(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}...")


# -- the texts of descriptors ------------------------------------------------------------------------------------------

Rule = Callable[[str, Any], str]
"""From a text and its descriptor to the fault of the text, or nothing."""


def _like(pattern: re.Pattern[str], should: str) -> Rule:
    return lambda text, _: "" if len(text) <= LONGEST_NAME and pattern.fullmatch(text) else should


def _quoted(text: str, _: Any) -> str:
    """Check a text that generators write between quotes, and escape."""
    return "it has control characters" if any(unicodedata.category(char) in _CONTROLS for char in text) else ""


def _for_people(_text: str, _: Any) -> str:
    """Admit any text: it reaches no generated code."""
    return ""


def _default(text: str, field: pb.FieldDescriptorProto) -> str:
    if field.type == field.TYPE_STRING:
        return ""  # every generator escapes it, since it may be any text
    if field.type == field.TYPE_BYTES:
        return "" if _ESCAPED.fullmatch(text) else "bytes are escaped as in C"
    if field.type in (field.TYPE_ENUM, field.TYPE_BOOL):
        return _NAME(text, field)
    return "" if len(text) <= LONGEST_NAME and _NUMBER.fullmatch(text) else "it is not a number"


_NAME = _like(_IDENTIFIER, "a name has letters, digits and underscores only")
_TYPE = _like(_REFERENCE, "the name of a type has letters, digits, underscores and dots only")
_PACKAGE = _like(_DOTTED, "a package has letters, digits, underscores and dots only")
_COPIED = _like(_LANGUAGE_NAME, "generators copy it into programs, so that it has no blanks, quotes or brackets")

RULES: Mapping[str, Mapping[str, Rule]] = {
    "FileDescriptorProto": {
        "name": wrong_file_name,
        "dependency": wrong_file_name,
        "option_dependency": wrong_file_name,
        "package": _PACKAGE,
        "syntax": _like(_SYNTAX, "there are proto2, proto3 and editions"),
    },
    "DescriptorProto": {"name": _NAME, "reserved_name": _quoted},
    "FieldDescriptorProto": {"name": _NAME, "type_name": _TYPE, "extendee": _TYPE, "default_value": _default, "json_name": _quoted},
    "OneofDescriptorProto": {"name": _NAME},
    "EnumDescriptorProto": {"name": _NAME, "reserved_name": _quoted},
    "EnumValueDescriptorProto": {"name": _NAME},
    "ServiceDescriptorProto": {"name": _NAME},
    "MethodDescriptorProto": {"name": _NAME, "input_type": _TYPE, "output_type": _TYPE},
    "FileOptions": {field.name: _COPIED for field in pb.FileOptions.DESCRIPTOR.fields if field.type == FieldDescriptor.TYPE_STRING},
    "ExtensionRangeOptions.Declaration": {"full_name": _TYPE, "type": _TYPE},
    "FieldOptions.EditionDefault": {"value": _for_people},
    "FieldOptions.FeatureSupport": {"deprecation_warning": _for_people, "removal_error": _for_people},
}
"""By message of google/protobuf/descriptor.proto and field. A text without a rule is not let in."""

_NOUNS = {
    "FileDescriptorProto": "a file",
    "DescriptorProto": "a message",
    "FieldDescriptorProto": "a field",
    "OneofDescriptorProto": "a oneof",
    "EnumDescriptorProto": "an enum",
    "EnumValueDescriptorProto": "an enum's value",
    "ServiceDescriptorProto": "a service",
    "MethodDescriptorProto": "a method",
    "FileOptions": "a file",
}


def _faults(message: Message) -> Iterator[str]:
    kind = message.DESCRIPTOR.full_name.removeprefix("google.protobuf.")
    rules = RULES.get(kind, {})
    if kind.endswith("DescriptorProto") and "name" in rules and not message.HasField("name"):
        yield f"holds {_NOUNS[kind]} without a name"
    for field, value in set_fields(message):
        if field.name == "source_code_info" or field.is_extension:
            continue
        if field.name == "uninterpreted_option":
            # protoc would interpret it behind this gate, and so set texts that are checked here.
            yield "holds an option that protoc has not interpreted"
        elif field.message_type is not None:
            for inner in value if field.is_repeated else (value,):
                yield from _faults(inner)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            rule = rules.get(field.name)
            for text in value if field.is_repeated else (value,):
                why = "it is not known to this version" if rule is None else rule(text, message)
                if why:
                    yield f"holds {_NOUNS.get(kind, kind)} with the {field.name} {shown(text)}: {why}"


# -- descriptors for others --------------------------------------------------------------------------------------------


def new_names(files: Iterable[str]) -> dict[str, str]:
    """Return an admitted name for each file whose own name is not admitted: on a disk a name may have any characters."""
    taken = set(files)
    new: dict[str, str] = {}
    for name in sorted(taken):
        if wrong_file_name(name):
            clean = "".join(char if number or char not in "-@" else "_" for number, char in enumerate(name))
            clean = "".join(char if _may_be_in_file_name(char) else "_" for char in clean)
            folder, _, base = clean.rpartition("/")
            stem = base.removesuffix(".proto").encode()[: LONGEST_PART - 20].decode(errors="ignore")
            numbered = (f"{stem}{number or ''}.proto" for number in count())
            new[name] = next(path for path in (f"{folder}/{last}".lstrip("/") for last in numbered) if path not in taken)
            taken.add(new[name])
    return new


def sendable(descriptor_set: bytes, names: Mapping[str, str]) -> bytes:
    """Return the set with files renamed, and without the options for languages that the gate does not admit."""
    parsed = pb.FileDescriptorSet.FromString(descriptor_set)
    for file in parsed.file:
        file.name = names.get(file.name, file.name)
        file.dependency[:] = [names.get(name, name) for name in file.dependency]
        if hasattr(file, "option_dependency"):  # of edition 2024
            file.option_dependency[:] = [names.get(name, name) for name in file.option_dependency]
        for option, rule in RULES["FileOptions"].items():
            if rule(getattr(file.options, option), file.options):
                file.options.ClearField(option)  # type: ignore[arg-type]
    return parsed.SerializeToString(deterministic=True)
