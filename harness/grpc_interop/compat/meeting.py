"""Two versions of the protos that meet, before anything is played."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from grpc_interop.compat.changes import Changes, changes
from grpc_interop.compat.held import holding, unused
from grpc_interop.compat.observation import Version
from grpc_interop.compat.places import Places
from grpc_interop.compat.plan import Plan, Planner
from grpc_interop.compat.sides import Sources
from grpc_interop.protos.catalog import Catalog
from grpc_interop.protos.shapes import Shapes


class Meeting:
    """Head against one base. `catalogs` are what is built and played: the protos of both, and perhaps messages that hold
    enums which no field uses."""

    def __init__(self, base: Sources, head: Sources) -> None:
        self.base = base
        self.head = head
        self._places = Places(Shapes(base.catalog), Shapes(head.catalog))
        self._play(base.catalog, head.catalog, self._places)

    def hold(self, enums: Collection[str]) -> None:
        """From now on, messages that hold these enums are played as well."""
        if enums:
            catalogs = holding(self.base.catalog, enums), holding(self.head.catalog, enums)
            self._play(*catalogs, Places(*map(Shapes, catalogs)))

    def _play(self, base: Catalog, head: Catalog, places: Places) -> None:
        self.catalogs = {Version.BASE: base, Version.HEAD: head}
        self.places = places
        self.shapes = {Version.BASE: places.base, Version.HEAD: places.head}

    @cached_property
    def changes(self) -> Changes:
        """All that differs, and how much does not."""
        return changes(self._places, self.base.lines, self.head.lines)

    @cached_property
    def unused_enums(self) -> list[str]:
        """Those that differ and cannot be sent, since no field has them."""
        return unused(self._places)

    @property
    def labels(self) -> dict[Version, str]:
        """What implementations of each version are called after."""
        return {Version.BASE: self.base.side.label, Version.HEAD: self.head.side.label}

    @property
    def versions(self) -> dict[str, Catalog]:
        """What is built, by label."""
        return {self.labels[version]: catalog for version, catalog in self.catalogs.items()}

    def plan(self, *, everything: bool) -> Plan:
        """What is to be played; `everything`: also of what has not changed."""
        return Planner(self.places, *self.shapes.values()).plan(everything=everything)
