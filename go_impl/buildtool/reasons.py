"""Find the element of a proto file behind a message of Go's generators and compiler, which name only the generated code."""

import re
from collections.abc import Iterator
from typing import Any

_NAMES = re.compile(r"(\w+) redeclared|field and method with the same name (\w+)|method \w+\.(\w+) already declared|duplicate method (\w+)")


def explain(file: Any, said: str) -> tuple[str, str]:
    """Return the element's full name (`package.Service/Method` for an RPC) and the message with the name in front;
    without a name where the message is about none. `file` is the FileDescriptorProto."""
    element = _element(file, said)
    if element and _NAMES.search(said):
        return element, f"{element}: Go's generators give its name to something else as well:\n{said}"
    return element, f"{element}: {said}" if element else said


def _element(file: Any, said: str) -> str:
    known = dict(reversed(list(_elements(file))))
    words = set(re.findall(r"[\w.]+\w", said))
    in_full = [full for full in known.values() if full in words and "." in full]
    if in_full:
        return max(in_full, key=len)
    for match in _NAMES.finditer(said):
        name = next(filter(None, match.groups()))
        if name in known:
            return known[name]
    return ""


def _elements(file: Any) -> Iterator[tuple[str, str]]:
    """Yield the name in Go, and the element."""
    package = f"{file.package}." if file.package else ""
    yield from _of_messages(file.message_type, "", package)
    for enum in file.enum_type:
        yield _camel_case(enum.name), package + enum.name
    for service in file.service:
        full, name = package + service.name, _camel_case(service.name)
        for method in service.method:
            yield _camel_case(method.name), f"{full}/{method.name}"
        for form in _OF_SERVICES:
            yield form.format(name), full


_OF_SERVICES = (*("{}Client", "{}Server", "Unimplemented{}Server", "Unsafe{}Server", "Register{}Server", "New{}Client", "{}_ServiceDesc"),)
"""Return the names that Go's generator derives from the name of a service."""


def _of_messages(messages: Any, outer: str, within: str) -> Iterator[tuple[str, str]]:
    for message in messages:
        name = f"{outer}{_camel_case(message.name)}"
        yield name, within + message.name
        for field in message.field:
            yield _camel_case(field.name), f"{within}{message.name}.{field.name}"
        yield from _of_messages(message.nested_type, f"{name}_", f"{within}{message.name}.")
        for enum in message.enum_type:
            yield f"{name}_{_camel_case(enum.name)}", f"{within}{message.name}.{enum.name}"


def _camel_case(name: str) -> str:
    upper = re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
    return upper[:1].upper() + upper[1:]
