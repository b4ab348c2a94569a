"""`interop run -n N`: the run's shards at the same time, each in a process of its own, with one report."""

import os
import shutil
import sys
from pathlib import Path

from grpc_interop.config import Options, as_arguments
from grpc_interop.drivers.process import Process, ending, tail
from grpc_interop.errors import BuildError
from grpc_interop.interruption import undivided
from grpc_interop.output.console import say
from grpc_interop.report.folder import make_folder
from grpc_interop.report.forms.results import RESULTS
from grpc_interop.session.listing import check_selection


def run_in_workers(options: Options, workers: int) -> tuple[list[Path], bool]:
    """Return the folders of the shards' reports, and whether the workers were interrupted. Raise UsageError before anything is
    started, BuildError when no shard left a report, and KeyboardInterrupt when the workers were stopped before any had a report."""
    check_selection(options)
    make_folder(options.report)
    shards = options.report / "shards"
    shutil.rmtree(shards, ignore_errors=True)
    folders = [shards / str(number) for number in range(1, workers + 1)]
    say(f"{workers} workers, a report at the end", err=True)
    command = [sys.executable, "-m", "grpc_interop.cli", "run", *as_arguments(options), *(["--strict"] if options.strict else []), "-q"]
    processes = [
        Process(
            [*command, "--shard", f"{number}/{workers}", "--report", str(folder)],
            env=_environment(),
            cwd=Path.cwd(),
            log=shards / f"{number}.log",
        )
        for number, folder in enumerate(folders, 1)
    ]
    interrupted = False
    try:
        statuses = [process.wait() for process in processes]
        undivided.no_more()
    except KeyboardInterrupt:
        interrupted = True
        say("stopping the workers", err=True)
        statuses = [process.stop(30) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.close()
    reported = [folder for folder in folders if (folder / RESULTS).is_file()]
    for folder, status, process in zip(folders, statuses, processes, strict=True):
        if folder not in reported:
            say(f"worker {folder.name} left no report: it {ending(status)}; its last words:\n{tail(process.log, 12)}", err=True)
    if reported:
        return reported, interrupted
    if interrupted:
        raise KeyboardInterrupt
    raise BuildError("no worker left a report")


def _environment() -> dict[str, str]:
    """Return the environment without GitHub's: only the merged report is for its job summary."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
