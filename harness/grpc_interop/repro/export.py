"""`interop replay --export DIR`: a case as a reproduction that stands alone, for a report to the maintainers of a runtime.

The folder holds the protos, a program for each side in its language, and a README with the commands, the expected and the
observed output. The programs are written by the implementations (the export request of docs/manifest.md).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

from grpc_interop.core.case import AnyCase
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Outcome, Verdict
from grpc_interop.drivers.build import Builder, Protos
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.errors import BuildError, UsageError
from grpc_interop.output.escaping import inline
from grpc_interop.output.plain_text import printable
from grpc_interop.report.failure import plain_lines
from grpc_interop.report.record import record_of
from grpc_interop.repro.case_text import Replay, encode
from grpc_interop.repro.export_request import reproduction_of
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.proto_source import proto_source
from grpc_interop.session.session import Session

PROTOS = "protos"
EVERYWHERE = "google/protobuf/"
"""The folder of the protos that every protoc brings with it."""


@dataclass(frozen=True, slots=True)
class Program:
    """The program of one side. `setup` and `run` are shell commands, to be run in its folder."""

    side: Side
    files: dict[str, str]  # the content of each file, by name
    setup: tuple[str, ...]
    run: str


def export(session: Session, replay: Replay, verdicts: Sequence[Verdict], verdict: Verdict, folder: Path) -> None:
    """Write the reproduction of a case. `verdicts` are those of all its plays; the README shows `verdict`.

    Raise UsageError for a folder that is not empty and for a case that cannot be exported, BuildError for an
    implementation that cannot write its program."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder", "name a folder that does not exist yet")
    catalog = session.catalog
    programs = []
    for side in (Side.SERVER, Side.CLIENT):
        manifest = session.built[replay.pair.at(side)].manifest
        programs.append(_program(session.builder, manifest, side, reproduction_of(replay.case).side(side, catalog), catalog))
    # Nothing is written before all is known to be possible.
    _write_protos(catalog, folder / PROTOS)
    for program in programs:
        _write_program(program, folder / program.side)
    readme = "\n".join(printable(line) for line in _readme(session, replay, verdicts, verdict, programs)) + "\n"
    (folder / "README.md").write_text(readme, encoding="utf-8")


def _exported(catalog: Catalog) -> list[descriptor_pb2.FileDescriptorProto]:
    return [file for file in catalog.file_protos if not file.name.startswith(EVERYWHERE)]


def _write_protos(catalog: Catalog, folder: Path) -> None:
    for file in _exported(catalog):
        path = _within(folder, file.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(proto_source(catalog.file_with_options(file)), encoding="utf-8")


def _program(builder: Builder, manifest: Manifest, side: Side, request: dict[str, Any], catalog: Catalog) -> Program:
    files = [file.name for file in _exported(catalog)]
    answer = builder.export(manifest, Protos(catalog.descriptor_set(), tuple(files)), {"side": side, "protos": f"../{PROTOS}", **request})
    if why := answer.get("unsupported"):
        raise BuildError(f"{manifest.name} cannot write the {side}'s program: {why}")
    try:
        program = Program(side, dict(answer["files"]), tuple(answer.get("setup", ())), answer["run"])
        for name in program.files:
            _within(Path(side), name)
        return program
    except (KeyError, TypeError, AttributeError) as error:
        raise BuildError(f"{manifest.name}: the answer to the export request is not as docs/manifest.md says: {error!r}") from None


def _within(folder: Path, name: str) -> Path:
    """Return the path of a file in a folder. Raise BuildError for a name that leads out of it."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise BuildError(f"{name!r} would be written outside of its folder")
    return folder / name


def _write_program(program: Program, folder: Path) -> None:
    for name, text in program.files.items():
        path = _within(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


# ----------------------------------------------------------------------------------------------------------------------
# The README
# ----------------------------------------------------------------------------------------------------------------------


def _readme(session: Session, replay: Replay, verdicts: Sequence[Verdict], verdict: Verdict, programs: Sequence[Program]) -> Iterator[str]:
    case, pair = replay.case, replay.pair
    record = record_of(verdict, session.catalog.describe)
    yield f"# {inline(record.reason[:1].upper() + record.reason[1:])}"
    yield ""
    yield f"A client of `{pair.client}` and a server of `{pair.server}`, generated from `{verdict.id.replace('`', '')}`."
    if case.why:
        yield f"Its purpose: {inline(case.why)}"
    yield from _section("Run", _commands(case, programs))
    yield from _section("Expected", reproduction_of(case).expected(session.catalog))
    yield from _section("Observed", _fenced(plain_lines(replace(record, attachments=()), Path.cwd())))
    if len(verdicts) > 1:
        failed = sum(play.outcome is not Outcome.PASSED for play in verdicts)
        yield ""
        yield _how_often(failed, len(verdicts))
    yield from _section("Versions", _versions(session, replay))
    yield from _section("With the harness", ["```", f"interop replay {encode(*replay)}", "```"])


def _how_often(failed: int, played: int) -> str:
    if not failed:
        return f"None of {played} plays failed: it comes and goes. The play that is shown passed."
    return f"All {played} plays failed." if failed == played else f"It comes and goes: {failed} of {played} plays failed."


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield from lines


def _fenced(lines: Iterable[str]) -> list[str]:
    """Return a block of code that none of its lines can end."""
    inner = list(lines)
    fence = "`" * max(3, 1 + max((len(run) for line in inner for run in re.findall("`+", line)), default=0))
    return [fence, *inner, fence]


def _commands(case: AnyCase, programs: Sequence[Program]) -> Iterator[str]:
    """Yield the commands in a shell."""
    yield "```sh"
    yield from (f"(cd {program.side} && {command})" for program in programs for command in program.setup)
    server, client = (f"(cd {program.side} && {program.run})" for program in programs)
    yield from reproduction_of(case).commands(server, client)
    yield "```"


def _versions(session: Session, replay: Replay) -> Iterator[str]:
    for name in dict.fromkeys((replay.pair.client, replay.pair.server)):
        versions = session.engine.pool.versions.get(name, {})
        yield f"- {name}: " + inline(", ".join(f"{key} {version}" for key, version in sorted(versions.items())))
