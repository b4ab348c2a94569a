"""Two versions of the protos side by side, before anything is played."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property

from grpc_interop.compat.diff.changes import Changes, changes
from grpc_interop.compat.diff.match_types import MatchedSchemas
from grpc_interop.compat.diff.synthetic_messages import unused_enums, with_synthetic_messages
from grpc_interop.compat.probes.plan import Plan, Planner
from grpc_interop.compat.sides import Sources
from grpc_interop.compat.vocabulary.observation import Version
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.shapes import Shapes


class VersionPair:
    """Head beside a base."""

    def __init__(self, base: Sources, head: Sources) -> None:
        old, new = _readable_in_both(base.catalog, head.catalog)
        self.base = replace(base, catalog=old)
        self.head = replace(head, catalog=new)
        self.unread = dict(_unread(self.base, self.head))
        """Per file that differs and cannot be compared, the reason: the harness' own protobuf refuses it. Such files are left
        out of both sides, so that their elements do not seem added or removed."""
        self._schemas = MatchedSchemas(Shapes(old), Shapes(new))
        self._use(old, new, self._schemas)

    def add_synthetic_messages(self, enums: Collection[str]) -> None:
        """From now on, play messages that hold these enums as well."""
        if enums:
            catalogs = with_synthetic_messages(self.base.catalog, enums), with_synthetic_messages(self.head.catalog, enums)
            self._use(*catalogs, MatchedSchemas(*map(Shapes, catalogs)))

    def _use(self, base: Catalog, head: Catalog, schemas: MatchedSchemas) -> None:
        """Build and play these catalogs."""
        self.catalogs = {Version.BASE: base, Version.HEAD: head}
        self.schemas = schemas
        self.shapes = {Version.BASE: schemas.base, Version.HEAD: schemas.head}

    @cached_property
    def changes(self) -> Changes:
        """The elements that differ, and how many do not."""
        return changes(self._schemas, self.base.lines, self.head.lines)

    @cached_property
    def unused_enums(self) -> list[str]:
        """The enums that differ and cannot be sent, since no field has them."""
        return unused_enums(self._schemas)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about the origin of the two versions."""
        return (*self.base.warnings, *self.head.warnings)

    @property
    def labels(self) -> dict[Version, str]:
        """The labels after which implementations of each version are called."""
        return {Version.BASE: self.base.side.label, Version.HEAD: self.head.side.label}

    @property
    def catalogs_by_label(self) -> dict[str, Catalog]:
        """The catalogs to build."""
        return {self.labels[version]: catalog for version, catalog in self.catalogs.items()}

    def plan(self, *, everything: bool, by_proto_names: bool = False) -> Plan:
        """Return the plan of exchanges: also for unchanged elements with `everything`; JSON also with fields' proto names with
        `by_proto_names`."""
        return Planner(self.schemas, *self.shapes.values(), by_proto_names=by_proto_names).plan(everything=everything)


def _readable_in_both(base: Catalog, head: Catalog) -> tuple[Catalog, Catalog]:
    """Return both without the files that the harness' own protobuf refuses in either, and without their importers."""
    while base.refused.keys() != head.refused.keys():
        base, head = base.without(head.refused), head.without(base.refused)
    return base, head


def _unread(base: Sources, head: Sources) -> Iterator[tuple[str, str]]:
    for file, why in head.catalog.refused.items():
        if not base.catalog.declares_alike(head.catalog, file):
            yield file, f"protoc accepts it, and the protobuf that the harness runs on does not, in one version or in both: {why}"
