"""The command `interop`. Thin: each command reads its options and calls the module that does the work."""

from __future__ import annotations

import codecs
import errno
import functools
import io
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from grpc_interop.config import Options, choose, find_implementation, find_project, in_continuous_integration
from grpc_interop.errors import InteropError, UsageError
from grpc_interop.interruption import interruptible
from grpc_interop.output.console import say
from grpc_interop.schema.roots.root import read_root
from grpc_interop.session.selection import read_seconds, read_shard

BROKEN = 3
"""The exit status when the harness itself fails."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a write fails with that finds no more room; the system does not say where."""

INTERRUPTED = 130
"""The exit status that shells give a command ended by Ctrl-C."""

_SIMPLE = str.maketrans({"·": "-", "✗": "x", "✓": "+", "→": "->", "←": "<-", "—": "-", "…": "...", "×": "x"})  # noqa: RUF001  meant
"""The signs of our own output, for what knows ASCII alone."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="grpc-interop", prog_name="interop")
def interop() -> None:
    """Does every gRPC client still talk to every server, in every streaming mode, with nothing lost?

    Exit status: 0 as expected, 1 a finding, 2 wrong usage or configuration, 3 the harness or a build failed.
    """


def main() -> NoReturn:
    """Runs the command; errors for people are printed as such, never as a traceback."""
    print_whatever_the_encoding()
    try:
        # Not interop.main(): it ends with status 1, a finding's, when the reader of the output goes away.
        with interop.make_context("interop", sys.argv[1:]) as context:
            interop.invoke(context)
        status = 0
    except click.exceptions.Exit as ended:
        status = ended.exit_code
    except click.ClickException as error:
        error.show()
        status = 2
        _tell_github(error.format_message(), status)
    except InteropError as error:
        say(f"interop: {error}", err=True)
        status = error.exit_status
        _tell_github(str(error), status)
    except (KeyboardInterrupt, click.Abort):
        status = INTERRUPTED
        _tell_github("interrupted before there was anything to report", status)
    except BrokenPipeError:
        # Whoever read the output went away (`interop list | head`): nothing is left to be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception as error:  # noqa: BLE001  shown, never hidden; but Python itself would end with 1, which is a finding's status
        if isinstance(error, OSError) and (error.filename is not None or error.errno in NO_ROOM):
            say(f"interop: {error.filename or 'a temporary file'}: {error.strerror}", err=True)
        else:
            say(traceback.format_exc(), err=True)
            say("interop: a defect of the harness, not of what it tests; please report it with the lines above", err=True)
        status = BROKEN
    sys.exit(status)


def print_whatever_the_encoding() -> None:
    """Lets a terminal or pipe that knows other characters than ours have what comes nearest: nothing that is printed may end
    a run."""
    codecs.register_error("interop", _nearest)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="interop")


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return text.translate(_SIMPLE).encode("ascii", "backslashreplace").decode("ascii"), error.end


def _tell_github(words: str, status: int) -> None:
    """An error that came before any report."""
    from grpc_interop.report.forms.github import tell_error

    tell_error(words, status, os.environ)


# ----------------------------------------------------------------------------------------------------------------------
# Options
# ----------------------------------------------------------------------------------------------------------------------

Command = Callable[..., Any]

_TREE = [
    click.option(
        "--proto-path",
        "roots",
        multiple=True,
        metavar="[PREFIX=]DIR",
        help="A proto root: everything below it is tested. May be repeated. Imports of its files begin with PREFIX.",
    ),
    click.option(
        "--include",
        "includes",
        multiple=True,
        metavar="[PREFIX=]DIR",
        help="Where imports are looked for; what lies there is not tested itself.",
    ),
    click.option(
        "--image", type=click.Path(path_type=Path), metavar="FILE", help="A descriptor set (protoc, buf build) instead of proto roots."
    ),
    click.option("--implementation", "added", multiple=True, metavar="DIR", help="One more implementation: a folder with a manifest."),
]
_CHOICE = [
    click.option("--client", "clients", multiple=True, metavar="NAME", help="Only these clients. May be repeated."),
    click.option("--server", "servers", multiple=True, metavar="NAME", help="Only these servers. May be repeated."),
    click.option("--suite", "suites", multiple=True, metavar="NAME", help="Only these suites. May be repeated."),
    click.option("-k", "keyword", default="", metavar="EXPR", help='As with pytest: -k "AllStream and ping_pong".'),
    click.option("--seed", type=int, metavar="N", help="Seed of generated values and conversations."),
    click.option("--changed", default="", metavar="REF", help="Only what has changed in the protos since a git ref."),
    click.option("--count", type=click.IntRange(0), default=0, metavar="N", help="Generated examples; 0: as many as each suite likes."),
]
_BUDGET = click.option("--budget", metavar="60s", help="Plays the most telling cases first, for so long (90s, 5m).")
_REPORT = click.option(
    "--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where reports go (default: .interop/report)."
)


def with_options(*groups: list[Any]) -> Callable[[Command], Command]:
    """Adds options to a command, which gets an Options in their place."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(**given: Any) -> Any:
            return command(read_options(given), **given)

        for option in reversed([option for group in groups for option in group]):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def read_options(given: dict[str, Any]) -> Options:
    """Takes what belongs to Options out of a command's parameters. Raises UsageError."""
    project = find_project()
    roots = tuple(given.pop("roots", ()))
    implementations = {manifest.name: manifest for manifest in project.implementations}
    for name in given.pop("added", ()):
        manifest = find_implementation(name, Path.cwd())
        implementations[manifest.name] = manifest
    known = tuple(implementations)
    seed, image = given.pop("seed", None), given.pop("image", None)
    includes = tuple(given.pop("includes", ()))
    if image and roots:
        raise UsageError("--image and --proto-path name protos each", "give one of them: an image takes the place of all roots")
    if includes and not roots and (image or project.image or project.buf):
        raise UsageError("--include goes with --proto-path: an image brings along what is imported", "leave it out")
    of_project = not roots and not image
    return Options(
        project=project,
        roots=tuple(read_root(root, Path.cwd()) for root in roots) or project.roots,
        includes=tuple(read_root(root, Path.cwd()) for root in includes) or project.includes,
        image=project.image if of_project else image,
        buf=of_project and project.buf,
        implementations=tuple(implementations.values()),
        clients=choose("client", given.pop("clients", ()), known),
        servers=choose("server", given.pop("servers", ()), known),
        suites=tuple(given.pop("suites", ())) or project.suites,
        keyword=given.pop("keyword", ""),
        shard=read_shard(given.pop("shard", None) or "1/1"),
        seed=project.seed if seed is None else seed,
        count=given.pop("count", 0),
        budget=read_seconds(budget) if (budget := given.pop("budget", None)) is not None else 0,
        changed=given.pop("changed", ""),
        strict=given.pop("strict", False) or in_continuous_integration(),
        report=Path.cwd() / (given.pop("report", None) or project.state / "report"),
    )


# ----------------------------------------------------------------------------------------------------------------------
# Commands
# ----------------------------------------------------------------------------------------------------------------------


@interop.command()
@with_options(_TREE, _CHOICE)
@_REPORT
@click.option("-n", "workers", type=click.IntRange(1), default=1, metavar="WORKERS", help="Runs as many shards at the same time.")
@click.option("--shard", metavar="K/N", help="Only the K-th of N equal parts.")
@_BUDGET
@click.option("--strict", is_flag=True, help="Whatever cannot run is a failure (as with CI=true).")
@click.option("-q", "--quiet", is_flag=True, help="Only the matrix and what failed.")
@click.option("--suggest-known", "suggest", is_flag=True, help="Prints an entry for each failure that is not known yet.")
def run(options: Options, workers: int, *, quiet: bool, suggest: bool, **_: Any) -> None:
    """Runs every client x server pair, every RPC, every streaming mode."""
    from grpc_interop import play

    interruptible()
    status = play.run(options, workers=workers, quiet=quiet)
    if suggest:
        play.suggest_known(options.report)
    sys.exit(status)


@interop.group(invoke_without_command=True)
@with_options([*_TREE[:2], _TREE[-1]], _CHOICE[:2])
@_REPORT
@click.option(
    "--base",
    "bases",
    multiple=True,
    metavar="REF|DIR|IMAGE",
    help="The old protos: a git ref, a folder or a descriptor set. May be repeated.",
)
@click.option("--head", metavar="REF|DIR|IMAGE", help="The new protos (default: the working tree).")
@click.option(
    "--guarantee",
    type=click.Choice(["both", "binary", "json", "json-strict", "json-proto-names"]),
    default="both",
    show_default=True,
    help="What has to hold: binary, JSON, or both; JSON whose readers refuse unknown fields; JSON whose writers call fields by"
    " their own names.",
)
@click.option("--all", "everything", is_flag=True, help="Also runs what has not changed.")
@click.option("--strict", is_flag=True, help="Whatever cannot run is a failure (as with CI=true).")
def compat(options: Options, bases: tuple[str, ...], head: str | None, guarantee: str, *, everything: bool, **_: Any) -> None:
    """Runs old protos against new, both ways: what really happens to the values, and what can be rolled out first."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    from grpc_interop.compat import compare
    from grpc_interop.compat.judge.guarantee import Guarantee

    interruptible()
    sys.exit(compare.compat(options, compare.Request(bases, head, Guarantee(guarantee), everything=everything)))


@compat.command()
@click.argument("element")
@click.option("--reason", required=True, metavar="WORDS", help="Why it may break.")
@click.option("--until", metavar="DATE", help="The last day on which it is accepted: 2026-12-31.")
@click.option("--base", metavar="REF|DIR|IMAGE", help="As it changed since then (default: as the last comparison found it).")
@click.option("--head", metavar="REF|DIR|IMAGE", help="With --base: the new protos (default: the working tree).")
@with_options(_TREE[:2], [_REPORT])
def accept(options: Options, element: str, reason: str, until: str | None, base: str | None, head: str | None) -> None:
    """Writes down that a break is intended."""
    from grpc_interop.compat import accepting

    accepting.accept(options, element, reason, until, base, head)


@interop.command("list")
@with_options(_TREE, _CHOICE)
def list_(options: Options) -> None:
    """Lists what would run, one case a line."""
    from grpc_interop.session import listing

    listing.print_cases(options)


@interop.command()
@with_options(_TREE, _CHOICE)
@click.option("--shards", type=click.IntRange(1), default=4, show_default=True, help="Into how many jobs to split.")
def plan(options: Options, shards: int) -> None:
    """Prints the run split for a CI matrix, as JSON for `fromJSON`."""
    from grpc_interop.session import listing

    listing.print_plan(options, shards)


@interop.command()
@with_options(_TREE)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def build(options: Options, names: tuple[str, ...]) -> None:
    """Only builds the drivers and programs, all or those named."""
    from grpc_interop import building

    sys.exit(building.build(options, names))


@interop.command()
@with_options(_TREE)
@click.argument("what", metavar="TEXT|FILE|ID")
@_REPORT
@click.option(
    "--times",
    type=click.IntRange(1),
    default=None,
    help="Plays it so often; by default once, and a failure that comes and goes several times.",
)
@click.option(
    "--export",
    "export_to",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also writes a reproduction that stands alone: protos, two programs, README.",
)
def replay(options: Options, what: str, times: int | None, export_to: Path | None, **_: Any) -> None:
    """Plays one case again, verbosely: a replay text, a file that holds one, or a case's id from the last report.

    Ends in FIXED if it passes each time (in PASSED, where a failure comes and goes too seldom for that to prove anything),
    else in FAILED, or in ERROR where it cannot be judged.
    """
    from grpc_interop.repro import replay

    sys.exit(replay.replay(options, what, times, export_to))


@interop.command()
@with_options(_TREE)
@click.argument("name")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="TCP port; 0 lets the system choose.")
def serve(options: Options, name: str, port: int) -> None:
    """Runs an implementation as an ordinary server; prints `listening on HOST:PORT` first."""
    from grpc_interop import serving

    interruptible()
    sys.exit(serving.serve(options, name, port))


@interop.command("check-driver")
@with_options([_TREE[-1]])
@click.argument("name")
def check_driver(options: Options, name: str) -> None:
    """Tells whether a driver keeps the contract, check by check, and what to do next."""
    from grpc_interop.check_driver import check

    sys.exit(check(options, name))


@interop.command()
def init() -> None:
    """Writes a commented interop.toml for the repository in the current folder."""
    from grpc_interop import starting

    sys.exit(starting.init(Path.cwd(), find_project().implementations))


@interop.command()
@with_options([_TREE[-1]])
def doctor(options: Options) -> None:
    """Says what is installed, what is missing, and what to do."""
    from grpc_interop import building

    sys.exit(building.doctor(options))


@interop.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@_REPORT
def report(folders: tuple[Path, ...], report: Path | None) -> None:
    """Merges the reports of shards into one, and renders it again."""
    from grpc_interop import play

    sys.exit(play.merge_reports(folders, Path.cwd() / (report or find_project().make_state_folder() / "report")))


@interop.command()
@with_options(_TREE, _CHOICE[:2])
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Writes the figures as JSON.")
@click.option("--seconds", type=click.FloatRange(0.1), default=2.0, show_default=True, help="How long each figure is measured.")
@click.option(
    "--tree",
    "trees",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Measures what this tree costs, in place of the pairs. May be repeated.",
)
@click.option("--growth", is_flag=True, help="The same of synthetic trees, of 1, 2, 4 and 8 times as many services.")
def bench(options: Options, json_file: Path | None, seconds: float, trees: tuple[Path, ...], growth: bool) -> None:
    """Measures cases per second of the engine, and calls per second of the bare loop between the same processes; or what
    trees of protos cost: building, playing, memory."""
    from grpc_interop.bench import pairs
    from grpc_interop.bench import trees as of_trees

    sys.exit(of_trees.run(options, trees, json_file, growth=growth) if trees or growth else pairs.run(options, json_file, seconds))


if __name__ == "__main__":
    main()
