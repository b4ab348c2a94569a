"""The resources of a driver: servers, channels and payloads, each made on demand, and each ready or refused by itself."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from grpc_interop.core.endpoint import PLAIN, Endpoint
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.translate import options

READY_SECONDS = 60.0
"""How long a server or a channel may take until it is ready, as long as a driver until it has started."""


@dataclass(slots=True, eq=False)
class Resource:
    """A server or a channel."""

    id: int
    what: str  # in words, for messages: `server with max_receive_bytes = 1,000`
    due: float
    ready: bool = False
    address: str = ""  # where a server that is ready listens
    error: pb.Error | None = field(default=None, init=False)  # why it will never be ready

    @property
    def refusal(self) -> str:
        """Return why it will never be ready, as the end of a sentence; empty while it may be."""
        return f"has no {self.what}: {self.error.text}" if self.error else ""


class Resources:
    """The resources of a driver: a server for each endpoint, and a channel for each target and endpoint."""

    def __init__(self, order: Callable[[pb.Command], int], send: Callable[[bytes, int], None]) -> None:
        """`order` sends a command and returns its new id; `send` uses a given id."""
        self._order = order
        self._send = send
        self._servers: dict[Endpoint, Resource] = {}
        self._channels: dict[tuple[str, Endpoint], Resource] = {}
        # Servers and channels that the driver has not answered yet.
        self._ordered: dict[int, Resource] = {}
        self._payloads: set[int] = set()

    # -- servers and channels ------------------------------------------------------------------------------------------

    def server(self, endpoint: Endpoint, serve: pb.Serve | None = None) -> Resource:
        """Return the server that is made with `endpoint`, and start it if there is none."""
        known = self._servers.get(endpoint)
        if known is None:
            serve = serve or pb.Serve(options=options(endpoint))
            needs = endpoint.requires() | ({"application"} if serve.application else set())
            known = self._servers[endpoint] = self._make("server", endpoint, pb.Command(requires=sorted(needs), serve=serve))
        return known

    def channel(self, target: str, endpoint: Endpoint, *, own: bool = False) -> Resource:
        """Return the shared channel to `target` that is made with `endpoint`, or a new channel for a single case."""
        known = None if own else self._channels.get((target, endpoint))
        if known is None:
            dial = pb.Dial(target=target, options=options(endpoint))
            known = self._make("channel", endpoint, pb.Command(requires=sorted(endpoint.requires()), dial=dial))
            if own:
                # Its play follows at once. A refusal is an error like any other, which nobody else would report.
                del self._ordered[known.id]
            else:
                self._channels[target, endpoint] = known
        return known

    def _make(self, what: str, endpoint: Endpoint, command: pb.Command) -> Resource:
        made = Resource(self._order(command), what if endpoint == PLAIN else f"{what} with {endpoint}", time.monotonic() + READY_SECONDS)
        self._ordered[made.id] = made
        return made

    def take(self, event: pb.Event) -> Resource | None:
        """Return the server or the channel that the event is about; it is then ready or refused. Raises ContractBroken."""
        kind = event.WhichOneof("kind")
        if event.id not in self._ordered or kind not in ("ready", "error"):
            return None
        made = self._ordered.pop(event.id)
        if kind == "error":
            made.error = event.error
        else:
            made.ready, made.address = True, event.ready.address
            if made in self._servers.values() and not made.address.startswith("127.0.0.1:"):
                raise ContractBroken(f"serves on {made.address!r}; only 127.0.0.1 is allowed")
        return made

    def expire(self, now: float) -> None:
        """Count servers and channels as refused that should have been ready before `now`."""
        for made in [made for made in self._ordered.values() if made.due < now]:
            made.error = pb.Error(text=f"it was not ready within {READY_SECONDS:g} s")
            del self._ordered[made.id]

    @property
    def addresses(self) -> list[str]:
        """Return where the servers listen."""
        return [server.address for server in self._servers.values() if server.address]

    def drop_channels(self, targets: Iterable[str]) -> None:
        """Close the shared channels to servers that are gone."""
        gone = set(targets)
        for key in [key for key in self._channels if key[0] in gone]:
            self.close(self._channels.pop(key).id)

    def close(self, resource: int) -> None:
        """Close a resource by its id."""
        self._order(pb.Command(close=pb.Close(resource=resource)))

    # -- payloads ------------------------------------------------------------------------------------------------------

    def provide(self, payloads: Iterable[tuple[int, str, bytes]]) -> None:
        """Send the payloads (id, type, bytes) that the driver does not have yet."""
        for payload_id, type_name, message in payloads:
            if payload_id not in self._payloads:
                body = pb.Command(payload=pb.Payload(type=type_name, binary=message)).SerializeToString()
                self._send(body, payload_id)
                self._payloads.add(payload_id)

    def forget_payloads(self, before: int) -> None:
        """Close the payloads with smaller ids."""
        closed = {payload_id for payload_id in self._payloads if payload_id < before}
        for payload_id in closed:
            self.close(payload_id)
        self._payloads -= closed
