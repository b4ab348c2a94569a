"""The driver's process. The harness starts it as

    python -I main.py FOLDER API

where FOLDER is the result of build.py and API is `sync` or `aio`. INTEROP_DRIVER_ADDRESS is the harness' address.
"""

import faulthandler
import gc
import importlib
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn


def main() -> None:
    built = Path(sys.argv[1])
    # An isolated interpreter does not look beside the script. The contract's code has a package of its own, which hides
    # nothing; the tree's code never comes onto this path (see generated.py).
    sys.path[:0] = [str(Path(__file__).parents[1]), str(built / "contract")]
    faulthandler.enable()
    faulthandler.register(signal.SIGQUIT, all_threads=True)
    threading.Thread(target=_stop_at_end_of_stdin, name="interop-stdin", daemon=True).start()
    try:
        _serve(built / "tree", sys.argv[2])
    except Exception:  # noqa: BLE001 - it ends the process, with all that is known
        traceback.print_exc()
        _exit(1)
    _exit(0)


def _serve(tree: Path, api: str) -> None:
    # The build has already compiled everything. Nothing is written here: a full disk would keep half a file.
    sys.dont_write_bytecode = True
    importlib.import_module("grpc")
    sys.pycache_prefix = str(tree.parent / "bytecode")
    from driver.connection import connect
    from driver.stubs import load_tree

    run = importlib.import_module(f"driver.{api}.api").run
    services = load_tree(tree)
    gc.freeze()  # loaded code stays: the garbage collector need not visit it again and again
    run(connect(), services)


def _stop_at_end_of_stdin() -> None:
    while os.read(0, 4096):
        pass
    _exit(0)


def _exit(status: int) -> NoReturn:
    # Not sys.exit: calls may be parked or frozen, and grpcio and the interpreter would wait for their threads.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
