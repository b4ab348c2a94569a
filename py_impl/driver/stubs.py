"""The generated stubs and servicers of a proto tree, found through its descriptors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from driver.generated import load_messages, load_services, read_index


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. `path` is the name that travels: `/package.Service/Method`."""

    path: str
    name: str
    client_streaming: bool
    server_streaming: bool


@dataclass(frozen=True)
class Service:
    """A service and its generated code: `XStub`, `XServicer` and `add_XServicer_to_server`."""

    full_name: str
    stub: type[Any]
    servicer: type[Any]
    add_to_server: Callable[[Any, Any], None]
    methods: tuple[Method, ...]

    def registered(self, handlers: dict[str, Callable[..., Any]]) -> Any:
        """Return a generated servicer whose methods are these functions of (self, request or requests, context)."""
        return type(f"Played{self.servicer.__name__}", (self.servicer,), handlers)()


def load_services_of(messages: ModuleType, services: ModuleType) -> list[Service]:
    """Return the services of one file. Raise AttributeError where the generated code lacks a part."""
    return [
        Service(
            full_name=service.full_name,
            stub=getattr(services, f"{service.name}Stub"),
            servicer=getattr(services, f"{service.name}Servicer"),
            add_to_server=getattr(services, f"add_{service.name}Servicer_to_server"),
            methods=tuple(
                Method(
                    path=f"/{service.full_name}/{method.name}",
                    name=method.name,
                    client_streaming=method.client_streaming,
                    server_streaming=method.server_streaming,
                )
                for method in service.methods
            ),
        )
        for service in messages.DESCRIPTOR.services_by_name.values()
    ]


def load_tree(folder: Path) -> list[Service]:
    """Load all generated code of a folder, and return its services."""
    found: list[Service] = []
    for file in read_index(folder):
        messages = load_messages(folder, file)
        if file.services:
            found += load_services_of(messages, load_services(folder, file))
    return found
