"""Every implementation built once for each version of the protos: `py@base`, `py@head`. To the engine they are
implementations like any others, and two versions never share a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from grpc_interop.drivers.build import Builder, Built, Protos, RefusedFile
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.errors import BuildError
from grpc_interop.schema.catalog import Catalog


def at(name: str, label: str) -> str:
    """What an implementation is called when it is built from a side: `py@base`, `py@base2`."""
    return f"{name}@{label.replace(' ', '')}"


def language(name: str) -> str:
    """The implementation of `py@base`: `py`."""
    return name.rpartition("@")[0]


@dataclass(slots=True)
class Builds:
    """`built` by `py@base`. `missing` says of an implementation (`py`) why no pair with it can be played here, and
    `failed` whether one of them has a toolchain and yet cannot be built."""

    built: dict[str, Built] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failed: bool = False

    def refused(self, name: str, label: str) -> tuple[RefusedFile, ...]:
        """The files of a side that an implementation's generator or compiler refused."""
        found = self.built.get(at(name, label))
        return found.refused if found is not None else ()


def build(builder: Builder, manifests: Sequence[Manifest], versions: Mapping[str, Catalog], note: Callable[[str], None]) -> Builds:
    """Builds all of them from each version, by its label, as many at a time as there are processors. What fails for one
    version is of no use for the other, and ends up in `missing`. `note` hears of each one that was built."""
    builds = Builds()
    with ThreadPoolExecutor(max(2, os.cpu_count() or 1), "build") as pool:
        pending = [
            (manifest, label, pool.submit(builder.build, manifest, Protos(catalog.descriptor_set(), catalog.files)))
            for label, catalog in versions.items()
            for manifest in manifests
        ]
        try:
            for manifest, label, future in pending:
                _collect(builds, manifest, label, future, note)
        except BaseException:
            builder.cancel()
            pool.shutdown(cancel_futures=True)
            raise
    return builds


def _collect(builds: Builds, manifest: Manifest, label: str, future: Future[Built], note: Callable[[str], None]) -> None:
    name = manifest.name
    try:
        built = future.result()
    except BuildError as error:
        builds.missing.setdefault(name, f"{at(name, label)}: {error}")
        builds.failed = True
        return
    if built.unavailable:
        builds.missing.setdefault(name, built.why_unavailable)
        return
    own_name = at(name, label)
    if built.fresh:
        note(f"built {own_name}")
    builds.built[own_name] = replace(built, manifest=replace(manifest, name=own_name))
