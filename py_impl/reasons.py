"""Explain why Python refuses a proto file: which element is to blame, and for which reason.

The messages of protoc and of Python are about generated code, which the author of the file has never seen. `explain`
finds the element of the file that leads to them. Messages that it does not know stay as they are.
"""

import keyword
import re
from collections.abc import Iterator
from typing import Any, NamedTuple


class Reason(NamedTuple):
    """The reason for a refusal. `element` is a full name (`package.Service/Method` for an RPC), empty where the file
    itself is to blame."""

    element: str
    text: str


def explain(file: Any, said: str) -> Reason:
    """Return the reason behind a message about a file, given the file's FileDescriptorProto."""
    found = list({reason.element: reason for reason in reversed(list(_reasons(file, said)))}.values())[::-1]
    if not found:
        return Reason(_named(file, said), said)
    more = f" (and {len(found) - 1} more of this kind)" if len(found) > 1 else ""
    return Reason(found[0].element, f"{found[0].text}{more}: {said}")


def _reasons(file: Any, said: str) -> Iterator[Reason]:
    if "SyntaxError" in said:
        yield from _keywords(file)
        yield from _module(file)
    if "NameError" in said or "AttributeError" in said:
        yield from _module(file)
    if "Error" in said:
        yield from _services(file)
    if "json_name" in said:
        yield from _json_names(file.message_type, file.package)


def _keywords(file: Any) -> Iterator[Reason]:
    """Yield names that Python's generator writes into statements as they are."""
    for method, path in _methods(file):
        if keyword.iskeyword(method.name):
            yield Reason(path, f"RPC {path}: Python's generator writes `def {method.name}`, and `{method.name}` is a keyword of Python")
        for name in (method.input_type, method.output_type):
            if word := next((part for part in name.split(".") if keyword.iskeyword(part) and part[:1].isupper()), None):
                what = f"Python's generator writes `.{word}` for {name.lstrip('.')}"
                yield Reason(path, f"RPC {path}: {what}, and `{word}` is a keyword of Python")


def _services(file: Any) -> Iterator[Reason]:
    names = {service.name for service in file.service}
    for service in file.service:
        for ending in ("Stub", "Servicer"):
            if service.name.endswith(ending) and (other := service.name.removesuffix(ending)) in names:
                full = _full(file, service.name)
                yield Reason(full, f"service {full}: Python's generator writes a class of this name for service {other}")
    for method, path in _methods(file):
        if method.name.startswith("__") and method.name.endswith("__"):
            yield Reason(path, f"RPC {path}: Python's own method {method.name} has this name")


def _module(file: Any) -> Iterator[Reason]:
    """Yield a reason in the file's own name, from which Python's generator makes the name of a variable."""
    first = file.name.split("/")[0]
    if file.service and first.startswith("_"):
        yield Reason("", f"a top-level name that begins with _ ({first}) is private to Python, within the class that uses it")
    elif file.service and first[:1].isdigit():
        yield Reason("", f"a top-level name that begins with a digit ({first}) is no name in Python")


def _json_names(messages: Any, within: str) -> Iterator[Reason]:
    for message in messages:
        full = f"{within}.{message.name}" if within else message.name
        first: dict[str, str] = {}
        for field in message.field:
            other = first.setdefault(field.json_name, field.name)
            if other != field.name:
                name = f"{full}.{field.name}"
                why = f"its JSON name {field.json_name} is also that of {other}"
                yield Reason(name, f"field {name}: {why}, which Python's protobuf does not take")
        yield from _json_names(message.nested_type, full)


def _methods(file: Any) -> Iterator[tuple[Any, str]]:
    for service in file.service:
        for method in service.method:
            yield method, f"{_full(file, service.name)}/{method.name}"


def _full(file: Any, name: str) -> str:
    return f"{file.package}.{name}" if file.package else name


def _named(file: Any, said: str) -> str:
    """Return the innermost element of the file that the message names in full; empty if it names none."""
    words = set(re.findall(r"[\w.]+\w", said))
    named = [name for name in _elements(file.message_type, file.package) if name in words]
    return max(named, key=len, default="")


def _elements(messages: Any, within: str) -> Iterator[str]:
    for message in messages:
        name = f"{within}.{message.name}" if within else message.name
        yield name
        yield from (f"{name}.{field.name}" for field in message.field)
        yield from _elements(message.nested_type, name)
