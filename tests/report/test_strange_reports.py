"""Reports from elsewhere: CI artifacts that anybody may have put together."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from conversations import PY_GO, describe, hello, lost_end, passed
from grpc_interop.compat.report.json import read_changes
from grpc_interop.errors import UsageError
from grpc_interop.report import Recorder, ReportError, RunInfo, merge, standard_reports
from grpc_interop.report.forms.results import CASES, RESULTS
from grpc_interop.repro.replay import _recorded

LONG_REPLAY = "ic1:" + "x" * 3000


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """An ordinary report with a replay text in a file."""
    folder = tmp_path / "artifact"
    run = Recorder(folder, standard_reports(folder, io.StringIO()), describe=describe, replay_text=lambda _: LONG_REPLAY)
    run.run_started(RunInfo("interop run", 1, (PY_GO,)))
    run.add(passed(hello()))
    run.add(lost_end())
    run.run_finished(1.0)
    return folder


def merged(artifact: Path) -> Path:
    target = artifact.parent / "merged"
    merge([artifact], Recorder(target, standard_reports(target, io.StringIO())))
    return target


def change(file: Path, at: list[Any], to: Any) -> None:
    """The value at that place, in the last line of the file, becomes another one."""
    *before, last = file.read_text().splitlines() if file.name == CASES else [file.read_text()]
    value = json.loads(last)
    place = value
    for step in at[:-1]:
        place = place[step]
    place[at[-1]] = to
    file.write_text("\n".join([*before, json.dumps(value)]) + "\n")


def test_an_ordinary_one_is_read(artifact: Path) -> None:
    assert [path.read_text() for path in (merged(artifact) / "replays").iterdir()] == [LONG_REPLAY + "\n"]


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize(("folder", "name"), [("replays", "x.ic1"), ("logs", "x.log")])
def test_links_are_not_followed(kind: str, folder: str, name: str, artifact: Path, tmp_path: Path) -> None:
    """
    They would copy what they lead to into a report that is published.
    """
    private = tmp_path / "private"
    private.mkdir()
    (private / name).write_text("secret")
    if kind == "folder":
        for path in (artifact / folder).glob("*"):
            path.unlink()
        (artifact / folder).mkdir(exist_ok=True)
        (artifact / folder).rmdir()
        (artifact / folder).symlink_to(private)
    else:
        (artifact / folder).mkdir(exist_ok=True)
        (artifact / folder / name).symlink_to(private / name)
    assert not [path for path in merged(artifact).rglob("*") if path.is_file() and "secret" in path.read_text()]


@pytest.mark.parametrize("outside", ["../private/x.ic1", "/private/x.ic1", "replays/../../private/x.ic1"])
def test_a_replay_text_is_looked_up_in_the_report_alone(outside: str, artifact: Path, tmp_path: Path) -> None:
    private = tmp_path / "private" / "x.ic1"
    private.parent.mkdir()
    private.write_text(LONG_REPLAY)
    change(artifact / CASES, ["replay"], outside.replace("/private", str(private.parent)) if outside.startswith("/") else outside)
    assert _recorded(artifact, lost_end().id) is None


@pytest.mark.parametrize(
    ("at", "to"),
    [
        (["id"], 1),
        (["suite"], None),
        (["client"], ["py"]),
        (["method"], {}),
        (["outcome"], "lost"),
        (["outcome"], []),
        (["seconds"], "long"),
        (["seconds"], None),
        (["difference"], "x"),
        (["difference", "wanted"], 1),
        (["replay"], 1),
        (["why"], []),
        (["notes"], [1]),
        (["notes"], 1),
        (["conversation"], [[]]),
        (["conversation"], [{"client": 1}]),
        (["logs"], [{"who": "x", "path": 1, "tail": "x"}]),
        (["logs"], "x"),
    ],
)
def test_a_case_of_another_form_is_refused_in_words(at: list[str], to: Any, artifact: Path) -> None:
    change(artifact / CASES, at, to)
    with pytest.raises(ReportError, match=r"line 2 is not a case"):
        merged(artifact)


@pytest.mark.parametrize(
    ("at", "to"),
    [
        (["cells"], 1),
        (["cells"], [[]]),
        (["pairs"], [1]),
        (["implementations"], [1]),
        (["implementations"], ["x"]),
        (["not_run"], [1]),
        (["left_out"], [{}]),
        (["uncovered"], [{"client": "py"}]),
        (["shard"], 1),
        (["findings"], "x"),
    ],
)
def test_a_report_of_another_form_is_refused_in_words(at: list[str], to: Any, artifact: Path) -> None:
    change(artifact / RESULTS, at, to)
    with pytest.raises(ReportError):
        merged(artifact)


@pytest.mark.parametrize("name", [CASES, RESULTS])
@pytest.mark.parametrize("content", [b"[" * 1_000_000, b"\xff", b"{}", b"1" * 10_000, b"[]", b"null"])
def test_what_is_no_json_of_ours_is_refused_in_words(name: str, content: bytes, artifact: Path) -> None:
    (artifact / name).write_bytes(content)
    with pytest.raises(ReportError):
        merged(artifact)


@pytest.mark.parametrize("name", [CASES, RESULTS])
def test_what_has_no_end_is_not_read(name: str, artifact: Path) -> None:
    (artifact / name).unlink()
    (artifact / name).symlink_to("/dev/zero")
    with pytest.raises(ReportError):
        merged(artifact)


@pytest.mark.parametrize("content", [b"[" * 1_000_000, b"[]", b"1", b'{"schema": 1}', b"\xff"])
def test_a_comparison_of_another_form_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "compat.json").write_bytes(content)
    with pytest.raises(UsageError, match="is not a valid report"):
        read_changes(tmp_path)
