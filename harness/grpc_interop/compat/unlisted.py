"""Files that one side does not list and has all the same: outside its roots, excluded, only imported.

Each side is read with its own interop.toml, and a descriptor set may not say what is there to be imported only. So before
anything is called added or removed it is looked for where it is not listed, and is compared like everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grpc_interop.compat.diff.changes import no_lines
from grpc_interop.compat.diff.declared import Declared
from grpc_interop.compat.sides import Sources
from grpc_interop.schema.protos_at_commit import MOST_TOLD, refuse_missing, refuse_unseen, without_history
from grpc_interop.wire.shapes import RUNTIMES_OWN


def comparable(bases: Sequence[Sources], head: Sources) -> tuple[list[Sources], Sources]:
    """Return the sides with all files that can be compared. Raises UsageError where nobody knows what there was to compare."""
    for base in bases:
        if base.then is not None:
            refuse_missing(base.lost, head.lost)
    head = _completed(head, bases)
    found = [_completed(base, [head]) for base in bases]
    for base in found:
        _refuse_without_history(base, head)
    return found, head


def _completed(side: Sources, others: Sequence[Sources]) -> Sources:
    """Return the side with those of the others' files that it has and does not list."""
    listed = {*side.catalog.files}
    if side.again is not None and (names := {name for other in others for name in _unknown(other, side)}):
        folders = [folder for other in others if other.tree for folder in (*other.tree.roots, *other.tree.includes)]
        if side.tree and side.then is None:
            refuse_unseen(side.seen_from, [*side.tree.roots, *side.tree.includes, *folders], names)
        found = side.again(sorted(names), folders)
        side = replace(side, catalog=found.catalog, files=found.files, lines=found.lines, warnings=found.warnings)
    imported = {file for other in others for file in _imported(side, other)}
    side = replace(side, catalog=side.catalog.driving(imported)) if imported else side
    more = sorted({*side.catalog.files} - listed)
    if not more:
        return side
    shown = ", ".join(more[:MOST_TOLD]) + (f" and {len(more) - MOST_TOLD} more files" if len(more) > MOST_TOLD else "")
    by = " and ".join(f"{one.side.label} ({one.side.words})" for one in others if not listed.issuperset(one.catalog.files))
    told = f"{shown}: tested in {by} alone, but {side.side.label} ({side.side.words}) has it as well, so it is compared"
    return replace(side, warnings=(*side.warnings, told))


def _declarations(sources: Sources, *, own: bool) -> dict[str, str]:
    """Return the file that declares each element, of those that a side drives or of those that it only imports; protobuf's
    own, which every runtime brings along, left out."""
    declared = Declared(sources.catalog, no_lines)
    return {name: file for name, file in declared.elements() if (file in declared.own) is own and not name.startswith(RUNTIMES_OWN)}


def _unknown(one: Sources, other: Sources) -> set[str]:
    """Return the files that one side drives, and that declare what the other has nowhere among its protos."""
    theirs = {**_declarations(other, own=True), **_declarations(other, own=False)}
    files = {file for name, file in _declarations(one, own=True).items() if name not in theirs}
    return files - {*other.catalog.files, *other.catalog.refused}


def _imported(one: Sources, other: Sources) -> set[str]:
    """Return the files that one side only imports, and that declare what the other drives and it does not."""
    mine, theirs = _declarations(one, own=True), _declarations(other, own=True)
    return {file for name, file in _declarations(one, own=False).items() if name in theirs and name not in mine}


def _refuse_without_history(base: Sources, head: Sources) -> None:
    """Raise UsageError for files of the working tree that seem new, since git does not keep them."""
    if base.then is None or head.then is not None or head.tree is None:
        return
    new = {head.files[file] for file in _unknown(head, base) if file in head.files}
    if lost := without_history(base.then.snapshot.repository, sorted(new)):
        raise base.then.no_history_error(lost[0])
