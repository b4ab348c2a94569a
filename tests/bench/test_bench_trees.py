"""What trees cost: the rows are complete, and what is counted is what there is."""

import json
import subprocess
import sys
from pathlib import Path

from grpc_interop.bench import memory, synthetic
from grpc_interop.schema.catalog import Catalog


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


def test_a_row_says_how_large_a_tree_is_and_what_it_took(tmp_path: Path) -> None:
    """
    Every case is played, counted and timed; memory is that of processes that did run.
    """
    tree = tmp_path / "protos"
    tree.mkdir()
    (tree / "small.proto").write_text(
        'syntax = "proto3"; package small; message M { int32 n = 1; string s = 2; } service S { rpc Call(M) returns (M); }'
    )
    table = tmp_path / "trees.json"
    command = ["bench", "--tree", tree, "--client", "py", "--server", "py", "--json", table]
    done = subprocess.run(
        [sys.executable, "-m", "grpc_interop.cli", *map(str, command)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads(table.read_text())
    assert {key: row[key] for key in ("tree", "files", "messages", "rpcs", "fields", "built", "failed")} == {
        "tree": str(tree),
        "files": 1,
        "messages": 1,
        "rpcs": 1,
        "fields": 2,
        "built": ["py"],
        "failed": 0,
    }
    # What was found built may have taken less than is shown.
    assert [key for key, value in row.items() if value == 0 and key != "warm_build_seconds"] == ["failed"]
