"""Files that a side does not list and yet has: outside its roots, excluded, only imported.

Each side is read with its own interop.toml, and a descriptor set may not say which files are there to be imported only. So
before an element is called added or removed, it is looked for in unlisted files, and compared like everything else.
"""

from collections.abc import Sequence
from dataclasses import replace

from grpc_interop.compat.diff.changes import no_lines
from grpc_interop.compat.diff.declared import Declared
from grpc_interop.compat.sides import Sources
from grpc_interop.output.plain_text import few
from grpc_interop.schema.protos_at_commit import MOST_NAMED, refuse_missing, refuse_unseen, without_history
from grpc_interop.wire.shapes import RUNTIMES_OWN


def comparable(bases: Sequence[Sources], head: Sources) -> tuple[list[Sources], Sources]:
    """Return the sides with all files that can be compared. Raise UsageError for files that should be compared and cannot be had."""
    for base in bases:
        if base.at_commit is not None:
            refuse_missing(base.missing, head.missing)
    head = _completed(head, bases)
    completed = [_completed(base, [head]) for base in bases]
    for base in completed:
        _refuse_without_history(base, head)
    return completed, head


def _completed(side: Sources, others: Sequence[Sources]) -> Sources:
    """Return the side with the files of the other sides that it has and does not list."""
    listed = {*side.catalog.files}
    if side.read_again is not None and (names := {name for other in others for name in _unknown(other, side)}):
        folders = [folder for other in others if other.tree for folder in (*other.tree.roots, *other.tree.includes)]
        if side.tree and side.at_commit is None:
            refuse_unseen(side.seen_from, [*side.tree.roots, *side.tree.includes, *folders], names)
        again = side.read_again(sorted(names), folders)
        side = replace(side, catalog=again.catalog, files=again.files, lines=again.lines, warnings=again.warnings)
    imported = {file for other in others for file in _imported(side, other)}
    side = replace(side, catalog=side.catalog.driving(imported)) if imported else side
    more = sorted({*side.catalog.files} - listed)
    if not more:
        return side
    by = " and ".join(f"{other.side.label} ({other.side.words})" for other in others if not listed.issuperset(other.catalog.files))
    warning = f"{few(more, MOST_NAMED)}: tested in {by} alone, but {side.side.label} ({side.side.words}) has it as well, so it is compared"
    return replace(side, warnings=(*side.warnings, warning))


def _declarations(sources: Sources, *, own: bool) -> dict[str, str]:
    """Return the file of each element that a side drives (`own`), or that it only imports. Protobuf's elements, which every
    runtime brings along, are left out."""
    declared = Declared(sources.catalog, no_lines)
    return {name: file for name, file in declared.elements() if (file in declared.own) is own and not name.startswith(RUNTIMES_OWN)}


def _unknown(side: Sources, other: Sources) -> set[str]:
    """Return the files that a side drives and that declare an element which the other side's protos do not have."""
    known = {**_declarations(other, own=True), **_declarations(other, own=False)}
    files = {file for name, file in _declarations(side, own=True).items() if name not in known}
    return files - {*other.catalog.files, *other.catalog.refused}


def _imported(side: Sources, other: Sources) -> set[str]:
    """Return the files that a side only imports and that declare an element which only the other side drives."""
    own, driven = _declarations(side, own=True), _declarations(other, own=True)
    return {file for name, file in _declarations(side, own=False).items() if name in driven and name not in own}


def _refuse_without_history(base: Sources, head: Sources) -> None:
    """Raise UsageError for files of the working tree that seem new because git does not keep them."""
    if base.at_commit is None or head.at_commit is not None or head.tree is None:
        return
    new = {head.files[file] for file in _unknown(head, base) if file in head.files}
    if lost := without_history(base.at_commit.snapshot.repository, sorted(new)):
        raise base.at_commit.no_history_error(lost[0])
