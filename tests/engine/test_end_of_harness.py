"""However the harness ends, nothing of what it started lives on."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

HARNESS = Path(__file__).parents[2] / "harness"

# A harness with a driver that calls, one that serves, a build and a program that all go on for ever.
SCRIPT = """
import sys, threading
from pathlib import Path
from grpc_interop.check_driver.greeter import PUT_STREAM, exchange
from grpc_interop.drivers.build import Builder, Built, Launch, Protos
from grpc_interop.drivers.manifest import Manifest, read_manifest
from grpc_interop.drivers.process import Process, environment
from grpc_interop.engine import Engine, Job
from grpc_interop.core.verdict import Pair

folder, reference, mark = Path(sys.argv[1]), Path(sys.argv[2]), {"REFERENCE_MARK": sys.argv[3]}
engine = Engine(folder / "logs")
engine.add(Built(read_manifest(reference), Launch(("python3", "driver.py"), mark)))
prepared = engine.prepare(exchange("collect", PUT_STREAM, requests=4))
engine.enqueue(Job(prepared, Pair("reference", "reference")) for _ in range(1_000_000))
program = Process(["sleep", "3600"], env=environment(mark), cwd=folder, log=folder / "program.log")
(folder / "contract/interop/driver/v1").mkdir(parents=True)
(folder / "contract/interop/driver/v1/driver.proto").touch()
(folder / "interop.toml").touch()
slow = Manifest("slow", folder / "interop.toml", build_command=("sh", "-c", "sleep 3600 & wait"), build_env=("REFERENCE_MARK",))
builder = Builder(folder / "state", folder / "contract")
threading.Thread(target=lambda: builder.build(slow, Protos(b"", ())), daemon=True).start()
played = 0
try:
    while engine.busy:
        played += len(engine.poll(0.05))
        if played > 20 and (folder / "state/build").exists():
            print("playing", flush=True)
            played = -10_000_000
    print("dropped", engine.why_dropped, flush=True)
finally:
    builder.cancel()
    program.kill()
    engine.close()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["SIGKILL", "SIGTERM", "SIGINT"])
def test_nothing_outlives_the_harness(tmp_path, gone, how):
    """Drivers with calls in flight, a build and a program end with it."""
    mark = uuid.uuid4().hex
    environment = {**os.environ, "PYTHONPATH": str(HARNESS), "REFERENCE_MARK": mark}
    reference = Path(__file__).parents[1] / "drivers" / "reference"
    argv = [sys.executable, "-c", SCRIPT, str(tmp_path), str(reference), mark]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as harness:
        try:
            assert harness.stdout is not None and harness.stdout.readline() == b"playing\n"
            # The build's own child needs a moment to be there.
            time.sleep(0.2)
        finally:
            harness.send_signal(how)
        harness.wait(20)
    gone(mark)
