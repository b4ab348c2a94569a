"""The changes between two versions: every element that differs, and how many elements are untouched."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2

from grpc_interop.compat.diff.anys import Anys
from grpc_interop.compat.diff.declaration_wording import Reserving, deprecated, file_words, moved, oneof_members, reserved
from grpc_interop.compat.diff.declared import Declaration, Declared, ElementLines
from grpc_interop.compat.diff.field_wording import differences
from grpc_interop.compat.diff.match_fields import FieldPair, TypePair, ValuePair, exact_type, pair_values
from grpc_interop.compat.diff.match_types import MatchedSchemas, MethodPair
from grpc_interop.compat.vocabulary.observation import Format
from grpc_interop.compat.vocabulary.result import SourceLocation
from grpc_interop.core.case import Method
from grpc_interop.wire.shapes import RUNTIMES_OWN, EnumShape, FieldShape


class Subject(StrEnum):
    """The kind of an element."""

    FILE = "file"
    PACKAGE = "package"
    SERVICE = "service"
    RPC = "RPC"
    MESSAGE = "message"
    FIELD = "field"
    EXTENSION = "extension"
    ONEOF = "oneof"
    ENUM = "enum"
    VALUE = "enum value"


class Edit(StrEnum):
    """The edit of an element."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """An element that differs."""

    element: str
    subject: Subject
    edit: Edit
    what: tuple[str, ...]  # the edit in words: `type int64 -> int32`
    now: str = ""  # its name in head where that is another one
    base: SourceLocation | None = None
    head: SourceLocation | None = None
    matters: bool = True  # whether messages or calls may show it; otherwise people only have to know of it
    notes: tuple[str, ...] = ()  # facts to know of it in any case
    ruled: Format | None = None  # the format in which an enum's value breaks by the rule, even if no message can hold it


class Changes(NamedTuple):
    """The changes in the order of the protos, and the elements that are equal in both versions."""

    changes: tuple[Change, ...]
    untouched: dict[str, int]  # how many of each kind: RPCs with all that they reach, messages and enums by themselves


def no_lines(_file: str) -> dict[str, int]:
    """Return the lines of protos without source: their elements stand on line 0."""
    return {}


def changes(schemas: MatchedSchemas, base_lines: ElementLines = no_lines, head_lines: ElementLines = no_lines) -> Changes:
    """Return all differences between two versions."""
    return _Differ(schemas, base_lines, head_lines).changes()


class _Differ:
    def __init__(self, schemas: MatchedSchemas, base_lines: ElementLines, head_lines: ElementLines) -> None:
        self._schemas = schemas
        self._base = Declared(schemas.base.catalog, base_lines)
        self._head = Declared(schemas.head.catalog, head_lines)
        self._in_anys = Anys(schemas).note()

    def changes(self) -> Changes:
        every = [
            *self._files(),
            *self._services(),
            *(change for method in self._schemas.methods for change in self._method(method)),
            *self._types(lambda declared: declared.messages, Subject.MESSAGE, self._oneofs),
            *(change for pair in self._schemas.types for change in self._fields(pair)),
            *self._extensions(),
            *self._types(lambda declared: declared.enums, Subject.ENUM, self._unused_values),
        ]
        unique = {(change.element, change.subject): change for change in reversed(every)}
        ordered = sorted(unique.values(), key=lambda change: (change.head or change.base or SourceLocation(""))[:2])
        return Changes(tuple(ordered), self._untouched(ordered))

    def _untouched(self, changes: Sequence[Change]) -> dict[str, int]:
        touched = {method.element for method in self._schemas.touched()} | {change.element for change in changes}
        changed = {holder for change in changes for holder in (change.element, change.element.rpartition(".")[0])}
        methods = [method for method in self._schemas.methods if method.element not in touched]
        return {
            "RPC": len(methods),
            "message": sum(name not in changed for name in _both(self._base, self._head, lambda declared: declared.messages)),
            "enum": sum(name not in changed for name in _both(self._base, self._head, lambda declared: declared.enums)),
        }

    # -- files and services --------------------------------------------------------------------------------------------

    def _files(self) -> Iterator[Change]:
        """Yield the changes of files themselves, which no message shows: their declarations have lines of their own."""
        for name in sorted(self._base.own | self._head.own):
            before = self._base.files.get(name) if name in self._base.own else None
            after = self._head.files.get(name) if name in self._head.own else None
            words = list(file_words(before, after)) if before is not None and after is not None else []
            if before is None or after is None or words:
                where = SourceLocation(name, 1) if before is not None else None, SourceLocation(name, 1) if after is not None else None
                yield _change(name, Subject.FILE, where, words, matters=False)

    def _services(self) -> Iterator[Change]:
        for name in _either(self._base, self._head, lambda declared: declared.services):
            before, after = self._base.services.get(name), self._head.services.get(name)
            if before is None or after is None:
                gone = before is not None and not before.proto.method
                yield _change(name, Subject.SERVICE, self._of(name), notes=["it had no methods"] if gone else [], matters=False)
            else:
                words = moved(before.file, after.file) + deprecated(before.proto.options, after.proto.options)
                if words:
                    yield _change(name, Subject.SERVICE, self._of(name), words, matters=False)

    def _method(self, pair: MethodPair) -> Iterator[Change]:
        before, after = pair.base, pair.head
        if before is None or after is None:
            yield _change(pair.element, Subject.RPC, self._of_methods(before, after))
            return
        words = [f"kind {before.kind} -> {after.kind}"] if before.kind is not after.kind else []
        # The effects of another type are observed at its fields.
        matters = bool(words)
        words += [f"request {before.request} -> {after.request}"] if before.request != after.request else []
        words += [f"response {before.response} -> {after.response}"] if before.response != after.response else []
        words += deprecated(_method_options(self._base, before), _method_options(self._head, after))
        if words:
            yield _change(pair.element, Subject.RPC, self._of_methods(before, after), words, matters=matters)

    # -- where ---------------------------------------------------------------------------------------------------------

    def _of(self, name: str) -> "Where":
        return self._base.of(name), self._head.of(name)

    def _of_methods(self, before: Method | None, after: Method | None) -> "Where":
        base = self._base.of_member(before.service, f"/{before.name}") if before else None
        return base, self._head.of_member(after.service, f"/{after.name}") if after else None

    # -- messages and enums --------------------------------------------------------------------------------------------

    def _types(
        self,
        kind: Callable[[Declared], dict[str, Declaration[Reserving]]],
        subject: Subject,
        members: Callable[[str, Reserving, Reserving], Iterator[Change]],
    ) -> Iterator[Change]:
        """Yield the changes of all messages, or of all enums, unused enums included, and the changes of their members."""
        for name in _either(self._base, self._head, kind):
            before, after = kind(self._base).get(name), kind(self._head).get(name)
            if before is None or after is None:
                notes = [self._in_anys] if subject is Subject.MESSAGE and after is None and self._in_anys else []
                yield _change(name, subject, self._of(name), matters=False, notes=notes)
                continue
            words = moved(before.file, after.file)
            if before.proto != after.proto:
                words += deprecated(before.proto.options, after.proto.options) + reserved(before.proto, after.proto)
                yield from members(name, before.proto, after.proto)
            if words:
                yield _change(name, subject, self._of(name), words, matters=False)

    def _oneofs(self, name: str, before: descriptor_pb2.DescriptorProto, after: descriptor_pb2.DescriptorProto) -> Iterator[Change]:
        """Yield the oneofs that came, went or have another name; their members have lines of their own."""
        old, new = oneof_members(before), oneof_members(after)
        added = {oneof: members for oneof, members in new.items() if oneof not in old}
        for oneof, members in old.items():
            if oneof in new:
                continue
            base = self._base.of_member(name, oneof)
            now = next((candidate for candidate, others in added.items() if others == members), "")
            if now:
                del added[now]
                head = self._head.of_member(name, now)
                words = (f"name {oneof} -> {now}",)
                yield Change(f"{name}.{oneof}", Subject.ONEOF, Edit.CHANGED, words, f"{name}.{now}", base, head, matters=False)
            else:
                yield _change(f"{name}.{oneof}", Subject.ONEOF, (base, None), matters=False)
        for oneof in added:
            head = self._head.of_member(name, oneof)
            yield _change(f"{name}.{oneof}", Subject.ONEOF, (None, head), matters=False)

    def _fields(self, pair: TypePair) -> Iterator[Change]:
        for field in pair.fields:
            words = differences(field, pair) if field.differs or _differs_unseen(field) else []
            if words:
                yield self._field(field, words)
            yield from self._values_of(field)

    def _field(self, field: FieldPair, words: list[str]) -> Change:
        subject = Subject.EXTENSION if field.any.descriptor.is_extension else Subject.FIELD
        base = self._field_location(self._base, field.base)
        head = self._field_location(self._head, field.head)
        edit = _edit(field.base, field.head)
        notes = self._reusable(field) if edit is Edit.REMOVED and subject is Subject.FIELD else []
        now = f"{field.element.rpartition('.')[0]}.{field.now}" if field.now and subject is Subject.FIELD else field.now
        return Change(field.element, subject, edit, tuple(words), now, base, head, field.differs, tuple(notes))

    def _field_location(self, declared: Declared, field: FieldShape | None) -> SourceLocation | None:
        if field is None:
            return None
        if field.descriptor.is_extension:
            return declared.of(f"[{field.descriptor.full_name}]")
        return declared.of_member(_holder(field), field.name)

    def _reusable(self, pair: FieldPair) -> list[str]:
        """Return notes on a removed field's number and name, if another field may get them by mistake."""
        field = pair.base
        assert field is not None
        holder = self._head.messages.get(_holder(field))
        if holder is None:
            return []
        proto = holder.proto
        notes = []
        if not any(taken.start <= field.number < taken.end for taken in proto.reserved_range):
            notes.append(f"not reserved: its number {field.number} can be reused")
        if field.name not in proto.reserved_name:
            notes.append(f"not reserved: its name {field.name} can be reused in JSON")
        return notes

    def _extensions(self) -> Iterator[Change]:
        """Yield extensions of types that no message holds, custom options for instance: nothing that is sent has them."""
        for name in _either(self._base, self._head, lambda declared: declared.extensions):
            before, after = self._base.extensions.get(name), self._head.extensions.get(name)
            if before is None or after is None:
                yield _change(f"[{name}]", Subject.EXTENSION, self._of(f"[{name}]"), matters=False)

    # -- enums ---------------------------------------------------------------------------------------------------------

    def _unused_values(
        self, name: str, before: descriptor_pb2.EnumDescriptorProto, after: descriptor_pb2.EnumDescriptorProto
    ) -> Iterator[Change]:
        old, new = (EnumShape({value.name: value.number for value in enum.value}, closed=False, is_null=False) for enum in (before, after))
        options = [{value.name: value.options for value in enum.value} for enum in (before, after)]
        for value in pair_values(old, new, name, name):
            if value.differs:
                yield self._value(value, name, name)
            elif words := deprecated(*(known[value.name] for known in options)):
                where = self._base.of_member(name, value.name), self._head.of_member(name, value.name)
                yield _change(value.element, Subject.VALUE, where, words, matters=False)

    def _values_of(self, field: FieldPair) -> Iterator[Change]:
        """Yield the changed values of a field's enum, which may be another enum in head."""
        for value in field.values:
            if value.differs:
                yield self._value(value, _enum_name(field.base), _enum_name(field.head))

    def _value(self, value: ValuePair, base: str, head: str) -> Change:
        old = self._base.of_member(base, value.name) if value.base is not None else None
        new = self._head.of_member(head, value.now or value.name) if value.head is not None else None
        words = [f"name {value.name} -> {value.now}"] if value.now else []
        if value.base is not None and value.head is not None and value.base != value.head:
            words.append(f"number {value.base} -> {value.head}")
        if value.written:
            words.append(f"written in JSON as {value.name} -> {value.written}")
        edit = _edit(old, new)
        if edit is not Edit.CHANGED:
            words = [edit.value]
        notes = self._reusable_value(value, head) if edit is Edit.REMOVED else []
        now = f"{head}.{value.now}" if value.now else ""
        ruled = None if edit is Edit.ADDED else Format.JSON if value.loses_name else Format.BINARY
        return Change(value.element, Subject.VALUE, edit, tuple(words), now, old, new, True, tuple(notes), ruled)

    def _reusable_value(self, value: ValuePair, enum: str) -> list[str]:
        holder = self._head.enums.get(enum)
        if holder is None or value.base is None or value.base in {declared.number for declared in holder.proto.value}:
            return []
        reserved = any(taken.start <= value.base <= taken.end for taken in holder.proto.reserved_range)
        return [] if reserved else [f"not reserved: its number {value.base} can be reused"]


# -- helpers -----------------------------------------------------------------------------------------------------------

KindOf = Callable[[Declared], Mapping[str, Declaration[Any]]]
"""Selects the declarations of a kind."""


def _either(base: Declared, head: Declared, kind: KindOf) -> list[str]:
    """Return the names of a kind that either version's own files declare, without protobuf's."""
    names = [name for side in (base, head) for name, declaration in kind(side).items() if declaration.file in side.own]
    return [name for name in dict.fromkeys(names) if not name.startswith(RUNTIMES_OWN)]


def _both(base: Declared, head: Declared, kind: KindOf) -> list[str]:
    return [name for name in _either(base, head, kind) if name in kind(base) and name in kind(head)]


Where = tuple[SourceLocation | None, SourceLocation | None]
"""In base, in head. Looked up for changes only: a file is searched for lines when a line is needed."""


def _edit(base: object, head: object) -> Edit:
    return Edit.ADDED if base is None else Edit.REMOVED if head is None else Edit.CHANGED


def _change(
    element: str, subject: Subject, where: Where, words: Sequence[str] = (), *, matters: bool = True, notes: Sequence[str] = ()
) -> Change:
    base, head = where
    edit = _edit(base, head)
    return Change(element, subject, edit, tuple(words) or (edit.value,), "", base, head, matters, tuple(notes))


def _method_options(declared: Declared, method: Method) -> object:
    service = declared.services[method.service].proto
    return next(declared.options for declared in service.method if declared.name == method.name)


def _differs_unseen(field: FieldPair) -> bool:
    """Return whether a field has a difference that no message shows and that people should know of."""
    if field.base is None or field.head is None:
        return False
    if exact_type(field.base) != exact_type(field.head):
        return True
    before, after = field.base.descriptor, field.head.descriptor
    return bool(before.has_options or after.has_options) and before.GetOptions().deprecated != after.GetOptions().deprecated


def _enum_name(field: FieldShape | None) -> str:
    enum = (field.mapped or field).descriptor.enum_type if field is not None else None
    return str(enum.full_name) if enum is not None else ""


def _holder(field: FieldShape) -> str:
    holder = field.descriptor.containing_type
    assert holder is not None
    return str(holder.full_name)
