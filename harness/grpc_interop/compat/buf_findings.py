"""Put buf's alarms beside the elements that they are about.

buf speaks of the edit: for instance of a file whose package is another one. The consequence is observed elsewhere, at the
RPCs in it. So an alarm belongs to the element that breaks by the edit, so that an edit does not seem a harmless alarm
and a silent break at once.
"""

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
"""Rules about files and packages with which their elements go. Other rules are about generated code, or about syntax."""

OF_SYNTAX = frozenset({"FILE_SAME_SYNTAX"})
"""Rules about files by which elements that are still there behave otherwise."""


def with_alarms(findings: Sequence[ChangeFinding], alarms: Iterable[ElementAlarm], base: Catalog, head: Catalog) -> list[ChangeFinding]:
    """Return the findings with buf's alarms for each; and a finding for each element that only buf mentions."""
    before, after = Definitions(base), Definitions(head)
    of_element: defaultdict[str, list[Alarm]] = defaultdict(list)
    consequences = _Consequences(findings, before, base, head)
    for element, alarm in alarms:
        for name in consequences.of(element, alarm) or [element]:
            if alarm not in of_element[name]:
                of_element[name].append(alarm)
    complete = []
    known: set[str] = set()
    for finding in findings:
        named = {finding.element, finding.now, *(_around(finding.element, before) if finding.verdict is ChangeVerdict.BREAK else ())}
        known |= {finding.element, finding.now, finding.element.partition(" ")[0]}
        own = [alarm for name in sorted(named) for alarm in of_element.get(name, ())]
        if not own and not finding.head and not finding.base:
            # The element itself did not change: alarms about its members are about it.
            own = [alarm for name, group in of_element.items() if name.startswith(f"{finding.element}.") for alarm in group]
        complete.append(replace(finding, static=tuple(dict.fromkeys(own))))
    for element, group in of_element.items():
        if element in before.enums and element not in known:
            known |= _give_to_fields(complete, element, group, before)
        if element not in known:
            old, new = before.text(element), after.text(element)
            why = ("only buf speaks of it",)
            complete.append(ChangeFinding(element, why, ChangeVerdict.OK, before=old, after=new, static=tuple(group)))
    return complete


class _Consequences:
    """Finds the elements at which the consequence of an edit around them is observed."""

    def __init__(self, findings: Sequence[ChangeFinding], definitions: Definitions, base: Catalog, head: Catalog) -> None:
        self._base = definitions
        self._packages = {file.name: file.package for file in base.file_protos}
        self._gone = set(self._packages.values()) - {file.package for file in head.file_protos}
        elements = [finding for finding in findings if finding.subject != Subject.FILE]
        self._verdicts = {finding.element: finding.verdict for finding in elements}
        harmed = [finding for finding in elements if finding.base is not None and _is_harmed(finding)]
        self._breaking = [finding for finding in harmed if finding.verdict is ChangeVerdict.BREAK]
        self._noted = [finding for finding in harmed if finding.verdict is not ChangeVerdict.BREAK]

    def of(self, element: str, alarm: Alarm) -> list[str]:
        """Return the elements to which an alarm belongs instead of the element in it; none if it belongs to that element."""
        for harmed in (self._breaking, self._noted):
            if names := [finding.element for finding in harmed if self._comes_of(finding, element, alarm)]:
                return names
        return []

    def _comes_of(self, harmed: ChangeFinding, element: str, alarm: Alarm) -> bool:
        assert harmed.base is not None
        file = harmed.base.file
        if alarm.rule in OF_REMOVAL:
            # Where a package is gone, its other files went with it.
            package = self._packages.get(file, "")
            gone_with_it = package in self._gone and self._packages.get(element) == package
            return harmed.head is None and (element in (file, package) or gone_with_it)
        if alarm.rule in OF_SYNTAX:
            return harmed.head is not None and element == file
        # A field arrives well although its type is gone: an Any knows the type by its name alone.
        arrives = self._verdicts.get(element) is ChangeVerdict.OK
        return arrives and harmed.subject == Subject.MESSAGE and self._base.message_of(element) == harmed.element


def _is_harmed(finding: ChangeFinding) -> bool:
    bad = any(effect.outcome not in GOOD and effect.outcome != ElementOutcome.ADDED for effect in finding.observed)
    return finding.verdict is ChangeVerdict.BREAK or (finding.verdict is ChangeVerdict.NOTE and bad)


def _give_to_fields(findings: list[ChangeFinding], enum: str, alarms: Sequence[Alarm], base: Definitions) -> set[str]:
    """Add an enum's alarms to the findings about fields that have it. Return the enum, if there are any."""
    given = set()
    for index, finding in enumerate(findings):
        if base.enum_of(finding.element) == enum:
            findings[index] = replace(finding, static=(*finding.static, *alarms))
            given.add(enum)
    return given


def _around(element: str, base: Definitions) -> Iterator[str]:
    """Yield the elements at which buf may complain when an element breaks: an RPC's service, with which it goes, and the RPC or
    the fields from which the path to it begins."""
    if "/" in element and not element.endswith(".proto"):
        yield element.partition(" ")[0]
        yield element.partition("/")[0]
    else:
        scope = element.rpartition(".")[0]
        while scope and not base.declares(scope):
            yield scope
            scope = scope.rpartition(".")[0]
