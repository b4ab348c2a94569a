"""Two versions of the protos that meet, before anything is played."""

from __future__ import annotations

from functools import cached_property

from grpc_interop.compat.changes import Changes, changes
from grpc_interop.compat.observation import Version
from grpc_interop.compat.places import Places
from grpc_interop.compat.plan import Plan, Planner
from grpc_interop.compat.sides import Sources
from grpc_interop.protos.shapes import Shapes


class Meeting:
    """Head against one base."""

    def __init__(self, base: Sources, head: Sources) -> None:
        self.base = base
        self.head = head
        self.shapes = {Version.BASE: Shapes(base.catalog), Version.HEAD: Shapes(head.catalog)}
        self.places = Places(*self.shapes.values())

    @cached_property
    def changes(self) -> Changes:
        """All that differs, and how much does not."""
        return changes(self.places, self.base.text, self.head.text)

    @property
    def labels(self) -> dict[Version, str]:
        """What implementations of each version are called after."""
        return {Version.BASE: self.base.side.label, Version.HEAD: self.head.side.label}

    def plan(self, *, everything: bool) -> Plan:
        """What is to be played; `everything`: also of what has not changed."""
        return Planner(self.places, *self.shapes.values()).plan(everything=everything)
