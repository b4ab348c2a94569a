"""The alarms of `buf breaking` about the same two versions, which reports put beside the observed effects.

Static rules judge by names and types. Where they are silent and a value changes, or where they raise an alarm and nothing
happens, people see both on one line. The verdict never depends on them.

buf reads descriptor sets, and refers to an element by a line of a file and by short names in its words. So each element gets
a line of its own here, in place of its real line, and is recognised by it.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from grpc_interop.compat.diff.definitions import Definitions
from grpc_interop.compat.vocabulary.result import CATEGORIES, Alarm
from grpc_interop.files import temporary
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.roots.buf_build import find_buf
from grpc_interop.wire import wire_format

TIMEOUT = 60
"""Seconds. buf needs a tenth of a second for a large tree."""

_CHANGES_FOUND = 100
"""buf's exit status where it found changes."""

_IMPORT_MARK = wire_format.tag(8042, wire_format.LENGTH) + wire_format.delimited(wire_format.tag(1, wire_format.VARINT) + b"\x01")
"""The mark that buf's images put on a file that is only imported (buf.alpha.image.v1.ImageFileExtension)."""


class NoVerdictError(Exception):
    """buf could not be asked; the text says why, and the remedy."""


class ElementAlarm(NamedTuple):
    """An alarm of buf's, and the element that it is about, named as everywhere."""

    element: str
    alarm: Alarm


def alarms(base: Catalog, head: Catalog) -> list[ElementAlarm]:
    """Return buf's alarms. Raise NoVerdictError."""
    buf = find_buf()
    if buf is None:
        raise NoVerdictError("buf is not installed: `pip install buf-bin`")
    categories = _categories(buf)
    numbering = _Numbering(base, head)
    with tempfile.TemporaryDirectory(prefix="interop-buf-", dir=temporary.place()) as place:
        folder = Path(place)
        (folder / "base.binpb").write_bytes(numbering.image(base))
        (folder / "head.binpb").write_bytes(numbering.image(head))
        config = json.dumps({"version": "v2", "breaking": {"use": CATEGORIES}})
        options = ("--exclude-imports", "--error-format", "json", "--config", config)
        output = _ask(buf, folder, "breaking", "head.binpb", "--against", "base.binpb", *options)
    elements = []
    for line in output.splitlines():
        row = json.loads(line)
        words = row["message"].partition(" See http")[0]
        element = numbering.element(row.get("path", ""), row["start_line"], words)
        if not numbering.imports(element):
            elements.append(ElementAlarm(element, Alarm(row["type"], categories.get(row["type"], ()), words)))
    return elements


@cache
def _categories(buf: str) -> dict[str, tuple[str, ...]]:
    """Return the categories of ours that contain each rule."""
    rules = map(json.loads, _ask(buf, Path.cwd(), "config", "ls-breaking-rules", "--format", "json").splitlines())
    return {rule["id"]: tuple(name for name in CATEGORIES if name in rule["categories"]) for rule in rules}


def _ask(buf: str, folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run([buf, *arguments], cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoVerdictError(f"buf could not be run: {error}") from error
    if done.returncode not in (0, _CHANGES_FOUND):
        raise NoVerdictError(f"buf cannot compare them: {done.stderr.strip()}")
    return done.stdout


# -- The element that a line of buf's is about -------------------------------------------------------------------------


class _Owner(NamedTuple):
    """An element of head as a line names it."""

    name: str
    scope: str  # the message, enum or service that it is or is part of


_SCOPES = {"message_type", "nested_type", "enum_type", "service"}
_MEMBERS = {"field", "value", "method", "oneof_decl"}

_FIELD = re.compile(r'\b[Ff]ield "(\d+)"')
_EXTENSION = re.compile(r'Extension "\d+" with name "([^"]*)" on message')
_VALUE = re.compile(r'[Ee]num value "(-?\d+)" on enum')
_MEMBER = re.compile(r'(?:oneof|RPC) "([^"]*)" on (message|service)')
_GONE = re.compile(r'Previously present (\w+) "([^"]*)" was deleted(?: from package "([^"]*)")?')


class _Numbering:
    """Gives out the lines, and finds the element of each line in buf's answer."""

    def __init__(self, base: Catalog, head: Catalog) -> None:
        self._base, self._head = Definitions(base), Definitions(head)
        self._packages = {file.name: file.package for file in base.file_protos}
        self._was = {file.name: file for file in base.file_protos}
        self._driven = frozenset(base.files)
        self._owners: dict[str, list[_Owner]] = {}

    def imports(self, element: str) -> bool:
        """Return whether base only imports an element. buf reports such elements, too, as gone, where head no longer imports
        their file but another file of their package."""
        for name in (element, element.rpartition(".")[0]):
            declared = self._base.messages.get(name) or self._base.enums.get(name)
            if declared is not None:
                return declared.file.name not in self._driven
        return False

    def image(self, catalog: Catalog) -> bytes:
        """Return the catalog's files as an image of buf's, with the differing files numbered."""
        driven = set(catalog.files)
        files = []
        for file in catalog.file_protos:
            own = descriptor_pb2.FileDescriptorProto.FromString(file.SerializeToString() + (b"" if file.name in driven else _IMPORT_MARK))
            if file.name in driven and file != self._was.get(file.name):
                self._number(own)
            files.append(own)
        return descriptor_pb2.FileDescriptorSet(file=files).SerializeToString()

    def _number(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        owners = self._owners[file.name] = [_Owner(file.name, "")]
        for path, line in list(_locations(file, (), owners, file.package)):
            file.source_code_info.location.add(path=path, span=[line, 0, 1])

    def element(self, path: str, line: int, words: str) -> str:
        """Return the element that a line of buf's is about, by base's name where base has it."""
        owners = self._owners.get(path, [])
        owner = owners[line - 1] if line <= len(owners) else _Owner(path, "")
        if map_field := self._map_field(owner.scope):
            return map_field
        if match := _FIELD.search(words):
            return f"{owner.scope}.{self._member_name(owner.scope, int(match[1]))}"
        if match := _EXTENSION.search(words):
            return f"[{match[1]}]"
        if match := _VALUE.search(words):
            return f"{owner.scope}.{self._member_name(owner.scope, int(match[1]))}"
        if match := _MEMBER.search(words):
            return f"{owner.scope}{'/' if match[2] == 'service' else '.'}{match[1]}"
        if match := _GONE.search(words):
            gone = self._gone(match[1], match[2], self._packages.get(path, "") if match[3] is None else match[3])
            return self._map_field(gone) or gone
        return owner.name

    def _map_field(self, entry: str) -> str:
        """Return the map field whose entries are of this type; empty for any other type."""
        for version in (self._base, self._head):
            declared = version.messages.get(entry)
            if declared is not None and declared.GetOptions().map_entry and declared.containing_type is not None:
                around = declared.containing_type
                return next(f"{around.full_name}.{field.name}" for field in around.fields if field.message_type is declared)
        return ""

    def _member_name(self, holder: str, number: int) -> str:
        """Return the name of a message's field or an enum's value, by base's name where base has it."""
        for version in (self._base, self._head):
            members = [*getattr(version.messages.get(holder), "fields", ()), *getattr(version.enums.get(holder), "values", ())]
            if name := next((member.name for member in members if member.number == number), ""):
                return str(name)
        return str(number)

    def _gone(self, kind: str, name: str, package: str) -> str:
        full = f"{package}.{name}" if package and kind not in ("file", "package") else name
        return f"[{full}]" if kind == "extension" else full


def _locations(message: Message, path: tuple[int, ...], owners: list[_Owner], scope: str) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield path and line of everything in a descriptor: a line for each element, which all its details share. `scope` is the
    full name of the package or type around it; elements are added to `owners`."""
    line = len(owners) - 1
    yield path, line
    for field, value in message.ListFields():
        for index, part in enumerate(value if field.is_repeated else [value]):
            place = (*path, field.number, index) if field.is_repeated else (*path, field.number)
            if field.name in _SCOPES | _MEMBERS | {"extension"}:
                owner = _owner(field, part.name, scope)
                owners.append(owner)
                yield from _locations(part, place, owners, owner.name if field.name in _SCOPES else scope)
            elif field.message_type is not None:
                yield from _details(part, place, line)
            else:
                yield place, line


def _details(message: Message, path: tuple[int, ...], line: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield path and line of options, ranges and the like."""
    yield path, line
    for field, value in message.ListFields():
        if field.message_type is None and not field.is_repeated:
            yield (*path, field.number), line
        elif field.message_type is not None:
            for index, part in enumerate(value if field.is_repeated else [value]):
                yield from _details(part, (*path, field.number, index) if field.is_repeated else (*path, field.number), line)


def _owner(field: FieldDescriptor, name: str, scope: str) -> _Owner:
    full = f"{scope}.{name}" if scope else name
    if field.name in _SCOPES:
        return _Owner(full, full)
    if field.name == "extension":
        return _Owner(f"[{full}]", scope)
    return _Owner(f"{scope}/{name}" if field.name == "method" else full, scope)
