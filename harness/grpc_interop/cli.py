"""The command `interop`: find the command that is asked for, and turn errors into messages and exit statuses."""

import codecs
import errno
import importlib
import io
import os
import sys
import traceback
from typing import NoReturn

import click

from grpc_interop.errors import InteropError
from grpc_interop.output.console import say

BROKEN = 3
"""The exit status when the harness itself fails."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The errors of a write that finds no more room. The system does not say where."""

INTERRUPTED = 130
"""The exit status that shells give a command ended by Ctrl-C."""

_SIMPLE = str.maketrans({"·": "-", "✗": "x", "✓": "+", "→": "->", "←": "<-", "—": "-", "…": "...", "×": "x"})  # noqa: RUF001  meant
"""The signs of our own output, for terminals that know ASCII alone."""


COMMANDS = ("run", "compat", "list", "plan", "build", "replay", "serve", "check-driver", "init", "doctor", "report", "bench")


class Commands(click.Group):
    """Loads a command's module when the command is asked for: the start of all others stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"grpc_interop.commands.{cmd_name.replace('-', '_')}")
        return module.command  # type: ignore[no-any-return]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="grpc-interop", prog_name="interop")
def interop() -> None:
    """Does every gRPC client still talk to every server, in every streaming mode, with nothing lost?

    Exit status: 0 as expected, 1 a finding, 2 wrong usage or configuration, 3 the harness or a build failed.
    """


def main() -> NoReturn:
    """Run the command. Errors for people are printed as such, never as a traceback."""
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
        # The reader of the output went away (`interop list | head`): nothing is left to be said.
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
    """Replace characters that a terminal or pipe does not know by the nearest that it knows: no print may end a run."""
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
    """Report an error that came before any report."""
    from grpc_interop.report.forms.github import tell_error

    tell_error(words, status, os.environ)


if __name__ == "__main__":
    main()
