"""Which builds are kept, and which are removed."""

import os
import threading
import time
from pathlib import Path

import pytest

from grpc_interop.drivers import build_cache
from grpc_interop.drivers.build_cache import DONE, KEPT, UNUSED_SECONDS

DAY = 24 * 3600


@pytest.fixture
def builds(tmp_path: Path) -> Path:
    """Ten builds of `mine`, the n-th of which was used n days ago, and as old ones of `mine-too`."""
    for name in ("mine", "mine-too"):
        for number in range(10):
            make(tmp_path / f"{name}-{number:020x}", days=number)
    return tmp_path


def make(build: Path, days: float) -> None:
    build.mkdir()
    build.with_suffix(".lock").touch()
    (build / DONE).write_text("{}")
    used = time.time() - days * DAY - 60
    os.utime(build / DONE, (used, used))


def left(builds: Path, implementation: str = "mine") -> list[int]:
    return sorted(int(path.name[-20:], 16) for path in builds.glob(f"{implementation}-{'[0-9a-f]' * 20}"))


def test_those_used_last_are_kept_of_each_implementation(builds: Path) -> None:
    build_cache.clear(builds, "mine")
    assert left(builds) == list(range(KEPT))
    assert left(builds, "mine-too") == list(range(10))
    assert len(list(builds.glob("mine-0*.lock"))) == KEPT


def test_what_was_used_within_a_day_is_kept_in_any_number(builds: Path) -> None:
    for number in range(100, 120):
        make(builds / f"mine-{number:020x}", days=0)
    build_cache.clear(builds, "mine")
    assert left(builds) == [0, *range(100, 120)]
    assert UNUSED_SECONDS == DAY


def test_what_another_process_has_taken_is_kept(builds: Path) -> None:
    with build_cache.locked(builds / f"mine-{9:020x}"):
        build_cache.clear(builds, "mine")
    assert left(builds) == [0, 1, 2, 3, 4, 9]


def test_what_was_never_finished_goes_by_when_it_was_begun(builds: Path) -> None:
    for number in (7, 8):
        (builds / f"mine-{number:020x}" / DONE).unlink()
    begun = time.time() - 30 * DAY
    os.utime(builds / f"mine-{8:020x}", (begun, begun))
    build_cache.clear(builds, "mine")
    assert left(builds) == [0, 1, 2, 3, 7]


def test_whoever_waited_for_a_build_that_was_removed_takes_it_anew(tmp_path: Path) -> None:
    """Two that hold one name by two files would both build."""
    build = tmp_path / "mine"
    entered = threading.Event()

    def wait() -> None:
        with build_cache.locked(build):
            entered.set()

    with build_cache.locked(build):
        waiting = threading.Thread(target=wait)
        waiting.start()
        build.with_suffix(".lock").unlink()
    waiting.join()
    assert entered.is_set()
    assert build.with_suffix(".lock").exists()
