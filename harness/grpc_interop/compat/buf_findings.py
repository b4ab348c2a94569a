"""What buf says, told beside the elements that it is about.

buf speaks of what was edited: of a file whose package is another one, for instance. What comes of that is seen elsewhere, of
the RPCs in it. So an alarm belongs to what breaks by it, lest the same edit seem a harmless alarm and a silent break at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from grpc_interop.compat.buf import ElementAlarm
from grpc_interop.compat.diff.changes import Subject
from grpc_interop.compat.diff.definitions import Definitions
from grpc_interop.compat.judge.observe import GOOD
from grpc_interop.compat.vocabulary.observation import ElementOutcome
from grpc_interop.compat.vocabulary.result import Alarm, ChangeFinding, ChangeVerdict
from grpc_interop.schema.catalog import Catalog

OF_REMOVAL = frozenset({"FILE_NO_DELETE", "FILE_SAME_PACKAGE", "PACKAGE_NO_DELETE"})
"""Rules about files and packages with which their elements go: others are about code that is generated, or about syntax."""

OF_SYNTAX = frozenset({"FILE_SAME_SYNTAX"})
"""Rules about files by which elements behave otherwise that are still there."""


def beside(findings: Sequence[ChangeFinding], told: Iterable[ElementAlarm], base: Catalog, head: Catalog) -> list[ChangeFinding]:
    """Return the findings with what buf says of each; and one for each element that buf alone speaks of."""
    then, now = Definitions(base), Definitions(head)
    of_element: defaultdict[str, list[Alarm]] = defaultdict(list)
    consequences = _Consequences(findings, then, base, head)
    for element, alarm in told:
        for name in consequences.of(element, alarm) or [element]:
            if alarm not in of_element[name]:
                of_element[name].append(alarm)
    complete = []
    known: set[str] = set()
    for finding in findings:
        named = {finding.element, finding.now, *(_around(finding.element, then) if finding.verdict is ChangeVerdict.BREAK else ())}
        known |= {finding.element, finding.now, finding.element.partition(" ")[0]}
        own = [alarm for name in sorted(named) for alarm in of_element.get(name, ())]
        if not own and not finding.head and not finding.base:
            # Not changed itself: what is said of its members is said of it.
            own = [alarm for name, of_it in of_element.items() if name.startswith(f"{finding.element}.") for alarm in of_it]
        complete.append(replace(finding, static=tuple(dict.fromkeys(own))))
    for element, of_it in of_element.items():
        if element in then.enums and element not in known:
            known |= _give(complete, element, of_it, then)
        if element not in known:
            before, after = then.text(element), now.text(element)
            complete.append(
                ChangeFinding(element, ("only buf speaks of it",), ChangeVerdict.OK, before=before, after=after, static=tuple(of_it))
            )
    return complete


class _Consequences:
    """The elements in which is seen what an edit of something around them does."""

    def __init__(self, findings: Sequence[ChangeFinding], definitions: Definitions, base: Catalog, head: Catalog) -> None:
        self._base = definitions
        self._packages = {file.name: file.package for file in base.file_protos}
        self._gone = set(self._packages.values()) - {file.package for file in head.file_protos}
        self._verdicts = {one.element: one.verdict for one in findings if one.subject != Subject.FILE}
        harmed = [one for one in findings if one.subject != Subject.FILE and one.base is not None and _is_harmed(one)]
        self._breaking = [one for one in harmed if one.verdict is ChangeVerdict.BREAK]
        self._noted = [one for one in harmed if one.verdict is not ChangeVerdict.BREAK]

    def of(self, element: str, alarm: Alarm) -> list[str]:
        """Return the elements to which an alarm belongs instead of the one that it speaks of; none if that is its own."""
        for harmed in (self._breaking, self._noted):
            if found := [one.element for one in harmed if self._comes_of(one, element, alarm)]:
                return found
        return []

    def _comes_of(self, harmed: ChangeFinding, element: str, alarm: Alarm) -> bool:
        assert harmed.base is not None
        file = harmed.base.file
        if alarm.rule in OF_REMOVAL:
            # Where a package is gone, its other files went with it.
            package = self._packages.get(file, "")
            return harmed.head is None and (
                element in (file, package) or (package in self._gone and self._packages.get(element) == package)
            )
        if alarm.rule in OF_SYNTAX:
            return harmed.head is not None and element == file
        # A field that arrives well, of a type that is gone: an Any knows it by its name alone.
        arrives = self._verdicts.get(element) is ChangeVerdict.OK
        return arrives and harmed.subject == Subject.MESSAGE and self._base.message_of(element) == harmed.element


def _is_harmed(finding: ChangeFinding) -> bool:
    seen_badly = any(one.outcome not in GOOD and one.outcome != ElementOutcome.ADDED for one in finding.observed)
    return finding.verdict is ChangeVerdict.BREAK or (finding.verdict is ChangeVerdict.NOTE and seen_badly)


def _give(findings: list[ChangeFinding], enum: str, of_it: Sequence[Alarm], base: Definitions) -> set[str]:
    """Give what is said of an enum to the fields that have it, if there are any among the findings. Return the enum, if so."""
    given = set()
    for place, finding in enumerate(findings):
        if base.enum_of(finding.element) == enum:
            findings[place] = replace(finding, static=(*finding.static, *of_it))
            given.add(enum)
    return given


def _around(element: str, base: Definitions) -> Iterator[str]:
    """Yield where buf may have complained of what breaks an element: at an RPC's service, with which it goes, and at the RPC or
    the fields from which the way to it begins."""
    if "/" in element and not element.endswith(".proto"):
        yield element.partition(" ")[0]
        yield element.partition("/")[0]
    else:
        scope = element.rpartition(".")[0]
        while scope and not base.declares(scope):
            yield scope
            scope = scope.rpartition(".")[0]
