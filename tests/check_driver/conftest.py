"""The reference driver (tests/drivers/reference) as an implementation under check."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grpc_interop.check_driver import bench as bench_module
from grpc_interop.check_driver.bench import Bench
from grpc_interop.drivers.build import Built, Launch
from grpc_interop.drivers.manifest import read_manifest

REFERENCE = Path(__file__).parents[1] / "drivers" / "reference"


@pytest.fixture
def reference() -> Callable[..., Built]:
    """Makes the implementation, with the faults that its keyword arguments name."""

    def make(**env: str) -> Built:
        manifest = replace(read_manifest(REFERENCE), name="reference")
        return Built(manifest, Launch(manifest.driver, {f"REFERENCE_{key.upper()}": value for key, value in env.items()}))

    return make


@pytest.fixture
def bench(reference: Callable[..., Built], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bench]]:
    """Makes a bench for a reference driver with faults."""
    # Some of them hang.
    monkeypatch.setattr(bench_module, "CASE_SECONDS", 1.5)
    made: list[Bench] = []

    def make(**env: str) -> Bench:
        made.append(Bench(reference(**env), tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.clear_away()
