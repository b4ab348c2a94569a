"""Two versions of the protos that meet, before anything is played."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property

from grpc_interop.compat.diff.changes import Changes, changes
from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.diff.synthetic_messages import add_synthetic_messages, unused_enums
from grpc_interop.compat.probes.plan import Plan, Planner
from grpc_interop.compat.sides import Sources
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.shapes import Shapes


class VersionPair:
    """Head against one base. `catalogs` are what is built and played: the protos of both, and perhaps messages that hold
    enums which no field uses. `unread` are the files that differ and cannot be compared, since the harness' own protobuf
    does not take them, and why: they are left out of both sides, lest what they declare seem added or removed."""

    def __init__(self, base: Sources, head: Sources) -> None:
        old, new = _read_by_both(base.catalog, head.catalog)
        self.base = replace(base, catalog=old)
        self.head = replace(head, catalog=new)
        self.unread = dict(_unread(self.base, self.head))
        self._schemas = MatchedSchemas(Shapes(old), Shapes(new))
        self._play(old, new, self._schemas)

    def hold(self, enums: Collection[str]) -> None:
        """From now on, messages that hold these enums are played as well."""
        if enums:
            catalogs = add_synthetic_messages(self.base.catalog, enums), add_synthetic_messages(self.head.catalog, enums)
            self._play(*catalogs, MatchedSchemas(*map(Shapes, catalogs)))

    def _play(self, base: Catalog, head: Catalog, schemas: MatchedSchemas) -> None:
        self.catalogs = {Version.BASE: base, Version.HEAD: head}
        self.schemas = schemas
        self.shapes = {Version.BASE: schemas.base, Version.HEAD: schemas.head}

    @cached_property
    def changes(self) -> Changes:
        """All that differs, and how much does not."""
        return changes(self._schemas, self.base.lines, self.head.lines)

    @cached_property
    def unused_enums(self) -> list[str]:
        """Those that differ and cannot be sent, since no field has them."""
        return unused_enums(self._schemas)

    @property
    def labels(self) -> dict[Version, str]:
        """What implementations of each version are called after."""
        return {Version.BASE: self.base.side.label, Version.HEAD: self.head.side.label}

    @property
    def catalogs_by_label(self) -> dict[str, Catalog]:
        """What is built, by label."""
        return {self.labels[version]: catalog for version, catalog in self.catalogs.items()}

    def plan(self, *, everything: bool, by_proto_names: bool = False) -> Plan:
        """What is to be played; `everything`: also of what has not changed; `by_proto_names`: JSON also with fields' own names."""
        return Planner(self.schemas, *self.shapes.values(), by_proto_names=by_proto_names).plan(everything=everything)


def _read_by_both(base: Catalog, head: Catalog) -> tuple[Catalog, Catalog]:
    """Return both without the files that the harness' own protobuf refuses in one of them, and without what imports those."""
    while base.refused.keys() != head.refused.keys():
        base, head = base.without(head.refused), head.without(base.refused)
    return base, head


def _unread(base: Sources, head: Sources) -> Iterator[tuple[str, str]]:
    for file, why in head.catalog.refused.items():
        if not base.catalog.declares_alike(head.catalog, file):
            yield file, f"protoc accepts it, and the protobuf that the harness runs on does not, in one version or in both: {why}"
