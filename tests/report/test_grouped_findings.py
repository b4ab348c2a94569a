"""Findings beside the cases, told once for each reason; for machines every one stays."""

import io
import json
from pathlib import Path

from conversations import PY_PY
from grpc_interop.report import Recorder, RunInfo, merge, standard_reports
from grpc_interop.report.data import Finding
from grpc_interop.report.summary import grouped

IMPORTS = "imports base.proto, which was refused"


def refuses(who: str, file: str, why: str = IMPORTS) -> Finding:
    return Finding(f"{who} refuses {file}", why, who, file)


def test_files_refused_for_one_reason_are_one_line_that_names_them_all() -> None:
    (group,) = grouped([refuses(who, file) for who in ("py", "py-aio") for file in ("a.proto", "b.proto")])
    assert (group.what, group.why) == ("py, py-aio refuse 2 files", f"{IMPORTS}\na.proto, b.proto")


def test_a_file_keeps_who_refuses_it_and_why() -> None:
    """
    Another reason, or other implementations, are lines of their own, in the order in which they were found.
    """
    groups = grouped(
        [refuses("go", "a.proto", "other words"), refuses("py", "a.proto"), refuses("py", "b.proto"), refuses("py-aio", "b.proto")]
    )
    assert [finding.what for finding in groups] == ["go refuses a.proto", "py refuses a.proto", "py, py-aio refuse b.proto"]


def test_a_place_that_is_known_stands_in_the_place_of_the_name() -> None:
    placed = [refuses(who, "a.proto")._replace(element="a.M", path="proto/a.proto", line=7) for who in ("py", "py-aio")]
    (group,) = grouped(placed)
    assert (group.what, group.path, group.line) == ("py, py-aio refuse proto/a.proto:7", "proto/a.proto", 7)


def test_what_is_about_no_file_stays_as_it_is() -> None:
    incidents = [Finding("incident 1", "it died"), Finding("incident 2", "it died")]
    assert grouped(incidents) == incidents


def test_every_refused_file_is_in_the_results_and_survives_a_merge(tmp_path: Path) -> None:
    out = io.StringIO()
    recorder = Recorder(tmp_path / "one", standard_reports(tmp_path / "one", out))
    recorder.run_started(RunInfo("interop run", 1, (PY_PY,)))
    found = [refuses(who, file) for who in ("py", "py-aio") for file in ("a.proto", "b.proto")]
    for finding in found:
        recorder.add_finding(finding)
    recorder.run_finished(1.0)
    assert out.getvalue().count(IMPORTS) == 2  # in the list, and in the last line
    stored = json.loads((tmp_path / "one" / "results.json").read_text())["findings"]
    known = {"what": "py refuses a.proto", "why": IMPORTS, "refused_by": "py", "file": "a.proto"}
    assert stored[0] == known | {"element": "", "path": "", "line": 0}
    merged = merge([tmp_path / "one"], Recorder(tmp_path / "again", standard_reports(tmp_path / "again", io.StringIO())))
    assert merged.findings == found
