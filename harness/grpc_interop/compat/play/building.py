"""Every implementation, built once for each version of the protos: `py@base`, `py@head`. To the engine these are ordinary
implementations, and two versions never share a process."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from grpc_interop.drivers.build import Builder, Built, Protos, RefusedFile
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.errors import BuildError
from grpc_interop.schema.catalog import Catalog


def at(name: str, label: str) -> str:
    """Return the name of an implementation that is built from a side: `py@base`, `py@base2`."""
    return f"{name}@{label.replace(' ', '')}"


def language(name: str) -> str:
    """Return the implementation of `py@base`: `py`."""
    return name.rpartition("@")[0]


@dataclass(slots=True)
class Builds:
    """The implementations that could be built."""

    built: dict[str, Built] = field(default_factory=dict)  # by name with side: `py@base`
    missing: dict[str, str] = field(default_factory=dict)  # why no pair with an implementation (`py`) can be played here
    failed: bool = False  # Any of them has a toolchain and yet cannot be built

    def refused(self, name: str, label: str) -> tuple[RefusedFile, ...]:
        """Return the files of a side that an implementation's generator or compiler refused."""
        built = self.built.get(at(name, label))
        return built.refused if built is not None else ()


def build(builder: Builder, manifests: Sequence[Manifest], versions: Mapping[str, Catalog], note: Callable[[str], None]) -> Builds:
    """Build all implementations from each version, by its label, as many at a time as there are processors. An implementation
    that fails for either version is useless, and ends up in `missing`. `note` receives a message for each build."""
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
