"""`interop serve NAME`: an implementation as an ordinary server, for any client."""

import select
import sys
import time
from pathlib import Path

import click

from grpc_interop.commands.options import TREE, with_options
from grpc_interop.config import Options, choose, home
from grpc_interop.core.side import Side
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.build import Builder, Protos
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.driver import START_SECONDS, CannotServe, Driver
from grpc_interop.errors import BuildError, UsageError
from grpc_interop.interruption import interruptible
from grpc_interop.output.console import say
from grpc_interop.session.protos import load_catalog

GRACE_SECONDS = 30.0
"""How long calls in flight may take to finish after Ctrl-C; a second Ctrl-C ends at once."""


@click.command()
@with_options(TREE)
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="TCP port; 0 lets the system choose.")
def command(options: Options, name: str, port: int) -> None:
    """Run an implementation as an ordinary server. Print `listening on HOST:PORT` first."""
    interruptible()
    sys.exit(serve(options, name, port))


def serve(options: Options, name: str, port: int) -> int:
    """Serve until Ctrl-C or SIGTERM, then let calls in flight finish. Raise UsageError for a port in use."""
    choose("implementation", [name], [manifest.name for manifest in options.implementations])
    manifest = next(manifest for manifest in options.implementations if manifest.name == name)
    catalog = load_catalog(options)
    built = Builder(options.project.make_state_folder(), home() / "proto").build(manifest, Protos(catalog.descriptor_set(), catalog.files))
    if built.unavailable:
        raise UsageError(f"{name}: {built.unavailable[0]} is missing", built.unavailable[1])
    driver = Driver(built, Side.SERVER, _log(options, name), serve=pb.Serve(port=port, application=True))
    try:
        _until_ready(driver, name, port)
        say(f"listening on {driver.address}")
        _until_interrupted(driver)
    except KeyboardInterrupt:
        if driver.server:
            driver.order(pb.Command(close=pb.Close(resource=driver.server.id, graceful=True)))
        _until_closed(driver)
    finally:
        driver.stop()
    return 0


def _log(options: Options, name: str) -> Path:
    """Return a path outside the report folder: a run clears that folder, and this server may serve for long."""
    return options.project.make_state_folder() / "serve" / f"{name}.log"


def _until_ready(driver: Driver, name: str, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not driver.ready:
        try:
            hear(driver, 0.5)
        except CannotServe as refused:
            raise UsageError(f"{name} {refused}", _remedy(refused, port)) from None
        except ContractBroken as broken:
            raise (UsageError if driver.incompatible else BuildError)(f"{name}: the driver {broken}") from None
        if driver.process.poll() is not None or (driver.connection and driver.connection.closed) or time.monotonic() > deadline:
            raise BuildError(f"{name}: the driver {driver.end()} before it was ready; its last words:\n{driver.tail()}")


def _remedy(refused: CannotServe, port: int) -> str:
    if refused.kind == pb.Error.KIND_UNSUPPORTED:
        return "only an implementation whose driver declares the capability `application` can serve calls of ordinary clients"
    return f"is port {port} in use? choose another, or 0" if port else ""


def _until_interrupted(driver: Driver) -> None:
    while True:
        hear(driver, 3600)
        if driver.connection is not None and driver.connection.closed:
            raise BuildError(f"the {driver.who} {driver.end()}; its last words:\n{driver.tail()}")


def _until_closed(driver: Driver) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and driver.connection is not None and not driver.connection.closed:
        if any(event.WhichOneof("kind") == "done" for event in hear(driver, 0.5)):
            return


def hear(driver: Driver, seconds: float) -> list[pb.Event]:
    """Wait for the driver, and return the events that do not belong to its start. Raise ContractBroken."""
    if driver.connection is None:
        if select.select([driver.listener], [], [], seconds)[0]:
            driver.accept()
        return []
    driver.connection.writable()
    if not select.select([driver.connection.socket], [], [], seconds)[0]:
        return []
    events = [event for event in driver.connection.readable() if not driver.take_setup(event)]
    driver.connection.writable()
    return events
