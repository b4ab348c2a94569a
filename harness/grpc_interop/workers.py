"""`interop run -n N`: the run's shards at the same time, each in a process of its own, merged into one report."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from grpc_interop.config import Options, as_arguments
from grpc_interop.drivers.process import Process, tail
from grpc_interop.errors import BuildError

FINDING, BROKEN = 1, 3


def run_in_workers(options: Options, workers: int) -> int:
    """Gives the exit status: the worst of the shards'. Raises BuildError when a shard left no report."""
    from grpc_interop.play import merge_reports

    shards = options.report / "shards"
    shutil.rmtree(shards, ignore_errors=True)
    folders = [shards / str(number) for number in range(1, workers + 1)]
    click.echo(f"{workers} workers, a report at the end", err=True)
    command = [sys.executable, "-m", "grpc_interop.cli", "run", *as_arguments(options), *(["--strict"] if options.strict else []), "-q"]
    processes = [
        Process(
            [*command, "--shard", f"{number}/{workers}", "--report", str(folder)],
            env=os.environ,
            cwd=Path.cwd(),
            log=shards / f"{number}.log",
        )
        for number, folder in enumerate(folders, 1)
    ]
    try:
        statuses = [process.wait() for process in processes]
    except KeyboardInterrupt:
        click.echo("stopping the workers", err=True)
        statuses = [process.stop(30) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.close()
    for status, process in zip(statuses, processes, strict=True):
        if status not in (0, FINDING, BROKEN, 130):
            raise BuildError(f"a worker ended with status {status}; its last words:\n{tail(process.log, 12)}")
    return max(*statuses, merge_reports([folder for folder in folders if folder.is_dir()], options.report))
