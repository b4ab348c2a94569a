"""The forms of a comparison's report. All render the same Result, and judge nothing."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from grpc_interop.compat.report import github, json, markdown, terminal
from grpc_interop.compat.vocabulary.result import Result


def write(result: Result, directory: Path, folder: Path, environment: Mapping[str, str], out: IO[str] | None = None) -> None:
    """Write compat.json and compat.md into the report folder, report to GitHub Actions if present, and print to `out` (stdout
    by default). `folder` is the project's; `environment` is os.environ."""
    json.write(result, directory)
    markdown.write(result, directory)
    github.write_summary(result, directory, environment)
    for line in github.commands(result, folder, environment):
        print(line, file=out or sys.stdout)
    terminal.show(result, directory, out)
