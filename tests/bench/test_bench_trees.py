"""What trees cost: the rows are complete, and what is counted is what there is."""

from __future__ import annotations

from pathlib import Path

from grpc_interop.bench import memory, synthetic
from grpc_interop.protos.catalog import Catalog


def test_a_synthetic_tree_has_so_many_times_the_services(tmp_path: Path) -> None:
    """
    Files and RPCs grow as the services do.
    """
    for times in (1, 2):
        root = tmp_path / str(times)
        synthetic.write(root, times, "m")
        catalog = Catalog.load([root], [], tmp_path / "cache")
        assert (len(catalog.files), len(list(catalog.methods()))) == (5 * times, 20 * times)


def test_memory_is_that_of_the_harness_and_of_all_below_it(tmp_path: Path) -> None:
    """
    Children of children count, strangers do not.
    """
    for pid, parent, kib in [(1, 0, 9_999), (10, 1, 2_048), (11, 10, 1_024), (12, 11, 1_024), (20, 1, 7_777)]:
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "status").write_text(f"Name:\tx\nPPid:\t{parent}\nVmHWM:\t{kib} kB\n")
    assert memory.peaks(tmp_path, 10) == (2.0, 2.0)
