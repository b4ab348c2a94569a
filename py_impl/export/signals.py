"""Signals, which the two sides of a case send each other outside the RPC, in exported programs.

docs/manifest.md ("The export request") says how they travel: as names, one per line, over a connection from the server
to the client. The client names its address in the request's metadata.
"""

from collections.abc import Mapping
from typing import Any

METADATA = "reproduction-signals"

MODULES = ("contextlib", "socket", "threading")
"""The modules that the class below imports."""

CLASS = f'''
class Signals:
    """What the two sides tell each other outside the RPC: names, a line each, over a connection of their own."""

    def __init__(self):
        self.changed = threading.Condition()
        self.connection = None
        self.arrived, self.unsent = [], []
        self.over = False

    def listen(self):
        """Of the client: the address to which the server is to connect."""
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            self.use(listener.accept()[0])
            self.end()

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{{listener.getsockname()[1]}}"

    def connect(self, metadata):
        """Of the server, as soon as it has the request's metadata."""
        host, _, port = dict(metadata)["{METADATA}"].partition(":")
        connection = socket.create_connection((host, int(port)))
        threading.Thread(target=self.use, args=(connection,), daemon=True).start()

    def use(self, connection):
        with self.changed:
            self.connection = connection
            for name in self.unsent:
                self.tell(name)
        with contextlib.suppress(OSError):
            for line in connection.makefile():
                with self.changed:
                    self.arrived.append(line.strip())
                    self.changed.notify_all()

    def tell(self, name):
        with self.changed, contextlib.suppress(OSError):  # a client that is gone needs no signal
            if self.connection is None:
                self.unsent.append(name)
            else:
                self.connection.sendall(f"{{name}}\\n".encode())

    def wait_for(self, name):
        """Takes a signal of that name, unless the RPC ends before it comes."""
        with self.changed:
            self.changed.wait_for(lambda: self.over or name in self.arrived)
            if name in self.arrived:
                self.arrived.remove(name)

    def end(self, *_):
        """The RPC has ended."""
        with self.changed, contextlib.suppress(OSError):
            self.over = True
            self.changed.notify_all()
            if self.connection is not None:
                self.connection.shutdown(socket.SHUT_RDWR)

'''

AWAITED = "await asyncio.to_thread(signals.wait_for, {})"
"""How a coroutine waits."""


def has_signals(call: Mapping[str, Any]) -> bool:
    return any(step["step"] in ("signal", "wait_for") for lane in call["lanes"] for step in lane)


def definition(call: Mapping[str, Any]) -> str:
    """Return the class, if the program needs it."""
    return f"\n\n{CLASS.strip()}\n" if has_signals(call) else ""


def imports(call: Mapping[str, Any], *modules: str) -> str:
    """Return import statements for these standard modules, and for those that signals need."""
    return "\n".join(f"import {name}" for name in sorted({*modules, *(MODULES if has_signals(call) else ())}))


def signalled(step: Mapping[str, Any], wait: str = "signals.wait_for({})") -> str:
    """Return the line of a step that signals or waits for a signal."""
    return f"signals.tell({step['name']!r})" if step["step"] == "signal" else wait.format(repr(step["name"]))
