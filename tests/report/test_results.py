"""cases.jsonl and results.json: their exact fields, whole or not there, and read again."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from conversations import GO_GO, GO_PY, PY_GO, cannot, describe, hello, lost_end, passed, ping_pong, wrong_greeting
from grpc_interop.core.side import Side
from grpc_interop.core.verdict import LOG, Attachment, Difference, Verdict
from grpc_interop.errors import UsageError
from grpc_interop.report import Implementation, Recorder, ReportError, RunInfo, from_json, record_of, to_json
from grpc_interop.report.failure import lines
from grpc_interop.report.forms.results import Results, StoredReport
from grpc_interop.report.recorder import LONGEST_REPLAY, MOST_IN_FULL


def recorder(directory: Path, replay: str = "ic1:eJyr") -> Recorder:
    started = Recorder(directory, [Results(directory)], describe=describe, replay_text=lambda verdict: replay)
    started.run_started(RunInfo("interop run", 1, (PY_GO, GO_PY), (Implementation("py"),)))
    return started


def cases(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "cases.jsonl").read_text().splitlines()]


def results(directory: Path) -> dict[str, object]:
    value = json.loads((directory / "results.json").read_text())
    assert isinstance(value, dict)
    return value


def test_a_passing_case_has_exactly_the_documented_fields(tmp_path: Path) -> None:
    """Other tools read these; none may be renamed."""
    run = recorder(tmp_path)
    run.add(passed(ping_pong(10), GO_PY))
    run.run_finished(1.0)
    assert cases(tmp_path) == [
        {
            "id": "calls/greeter.v1.Greeter/AllStream/ping_pong_10[go:py]",
            "suite": "calls",
            "method": "/greeter.v1.Greeter/AllStream",
            "kind": "bidi_streaming",
            "client": "go",
            "server": "py",
            "outcome": "passed",
            "seconds": 0.0021,
            "difference": None,
            "replay": None,
        }
    ]


def test_a_failing_case_says_who_saw_what_and_how_to_replay_it(tmp_path: Path) -> None:
    """The difference is an object of four texts."""
    run = recorder(tmp_path)
    run.add(wrong_greeting())
    run.run_finished(1.0)
    (case,) = cases(tmp_path)
    assert case["outcome"] == "failed"
    assert case["replay"] == "ic1:eJyr"
    assert case["difference"] == {
        "side": "client",
        "what": "the client received another message 1 than the server sent",
        "wanted": 'HelloReply "Hello, World"',
        "got": 'HelloReply "Hello, Bob"',
    }


WORDS = "a HelloReply cannot be written as ProtoJSON: " + "MessageToJson() got an unexpected keyword argument, " * 6 + "the last word"


def test_the_words_of_a_runtime_are_kept_to_their_end(tmp_path: Path) -> None:
    """Often the last ones say what is wrong; in the files nothing of them is missing, and on a screen hardly ever."""
    failed = lost_end()
    run = recorder(tmp_path)
    run.add(failed._replace(difference=Difference(Side.CLIENT, "the client refuses to write a message", "", WORDS)))
    run.run_finished(1.0)
    (case,) = json.loads((tmp_path / "results.json").read_text())["cases"]
    assert case["difference"]["got"] == WORDS
    assert json.loads((tmp_path / "cases.jsonl").read_text())["difference"]["got"] == WORDS
    shown = [line.text for line in lines(replace(from_json(case), conversation=()), tmp_path, 80)]
    assert [line for line in shown if line.startswith("  got ")] == [f"  got         {WORDS}"]


def test_results_hold_totals_cells_failures_and_what_did_not_run(tmp_path: Path) -> None:
    """The fields of results.json, schema 1."""
    run = recorder(tmp_path)
    run.set_versions(Implementation("go", "go 1.26.8", "1.85.0", "1.36.12"))
    run.add(passed(ping_pong(1)))
    run.add(lost_end(PY_GO))
    run.not_run("go:py", "no python3 found")
    run.run_finished(12.3)
    value = results(tmp_path)
    assert value["schema"] == 1
    assert value["seconds"] == 12.3
    assert value["seed"] == 1
    assert value["implementations"] == [
        {"name": "py", "language": "", "grpc": "", "protobuf": ""},
        {"name": "go", "language": "go 1.26.8", "grpc": "1.85.0", "protobuf": "1.36.12"},
    ]
    outcomes = {"passed": 1, "failed": 1, "error": 0, "known_failure": 0, "unexpected_pass": 0, "unsupported": 0}
    assert value["totals"] == outcomes
    assert value["cells"] == [{"suite": "calls", "client": "py", "server": "go", "kind": "bidi_streaming", **outcomes}]
    assert value["cases"] == [case for case in cases(tmp_path) if case["outcome"] != "passed"]
    assert value["not_run"] == [{"what": "go:py", "why": "no python3 found", "lack": "unavailable", "suites": []}]


def test_a_planned_pair_that_never_turned_up_is_named(tmp_path: Path) -> None:
    """A pair that silently goes missing is a defect."""
    run = recorder(tmp_path)
    run.add(passed(hello()))
    assert [entry.what for entry in run.run_finished(1.0).not_run] == ["go:py"]


def test_nothing_is_written_before_the_run_is_finished(tmp_path: Path) -> None:
    """Nor does an older report stay and look like this run's."""
    first = recorder(tmp_path)
    first.add(lost_end())
    first.run_finished(1.0)
    second = recorder(tmp_path)
    second.add(lost_end())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    second.run_finished(1.0)
    assert {path.name for path in tmp_path.iterdir()} == {"cases.jsonl", "results.json"}


def test_a_killed_run_leaves_no_file(tmp_path: Path) -> None:
    """SIGKILL in the middle of a run: no half report, no temporary files."""
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from conversations import PY_GO, lost_end
        from grpc_interop.report import Recorder, RunInfo, standard_reports
        directory = Path(sys.argv[1])
        run = Recorder(directory, standard_reports(directory))
        run.run_started(RunInfo("interop run", 1, (PY_GO,)))
        for number in range(1000):
            run.add(lost_end(PY_GO, name=f"case_{number}"))
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], env=environment, stdout=subprocess.PIPE, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_a_record_survives_json() -> None:
    """What is read is what was written."""
    verdicts = [passed(hello()), lost_end(attachments=(Attachment(LOG, "go server", "/logs/x.log", "last words"),)), cannot()]
    for verdict in verdicts:
        record = record_of(verdict, describe, replay="ic1:x")
        assert from_json(json.loads(json.dumps(to_json(record)))) == record


def test_a_stored_report_is_read_as_it_was(tmp_path: Path) -> None:
    """All that is needed to render it again."""
    run = recorder(tmp_path)
    run.add(passed(hello()))
    run.add(lost_end(GO_PY))
    summary = run.run_finished(2.5, interrupted=True)
    stored = StoredReport(tmp_path)
    assert stored.info.pairs == (PY_GO, GO_PY)
    assert (stored.seconds, stored.interrupted, stored.not_run) == (2.5, True, summary.not_run)
    assert [record.id for record in stored.records()] == [passed(hello()).id, lost_end(GO_PY).id]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("results.json", b'{"schema": 2}', "schema 2, and this version reads schema 1"),
        ("results.json", b"{", "is not JSON"),
        ("results.json", b"[]", "holds no report"),
        ("results.json", b'{"schema": 1, "seed": 1}', "lacks seconds, implementations"),
        ("other", b"", "is not a report folder"),
    ],
)
def test_a_folder_that_cannot_be_read_is_refused_in_words(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """Another schema, a cut file, no report at all: wrong usage, with what to do next."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReportError, match=words) as caught:
        StoredReport(tmp_path)
    assert isinstance(caught.value, UsageError)
    assert caught.value.remedy


def test_a_line_that_is_no_case_is_named(tmp_path: Path) -> None:
    """File and line."""
    run = recorder(tmp_path)
    run.add(passed(hello()))
    run.run_finished(1.0)
    with (tmp_path / "cases.jsonl").open("a") as file:
        file.write('{"id": "x"}\n')
    with pytest.raises(ReportError, match=r"cases\.jsonl, line 2 is not a case"):
        list(StoredReport(tmp_path).records())


def test_a_long_replay_text_becomes_a_file(tmp_path: Path) -> None:
    """Its path within the report folder takes the text's place, and stays true when the folder is moved."""
    text = "ic1:" + "x" * LONGEST_REPLAY
    run = recorder(tmp_path, text)
    run.add(lost_end(PY_GO, 10))
    run.run_finished(1.0)
    (case,) = cases(tmp_path)
    assert case["replay"] == "replays/calls_greeter.v1.Greeter_AllStream_ping_pong_10_py_go.ic1"
    assert (tmp_path / str(case["replay"])).read_text().strip() == text


def test_the_thousandth_case_of_a_cause_is_told_briefly(tmp_path: Path) -> None:
    """Replay texts are made for the first ones only; the others are replayed by their id."""
    asked: list[Verdict] = []

    def replay(verdict: Verdict) -> str:
        asked.append(verdict)
        return "ic1:x"

    run = Recorder(tmp_path, [Results(tmp_path)], describe=describe, replay_text=replay)
    run.run_started(RunInfo("interop run", 1, (GO_GO,)))
    for number in range(MOST_IN_FULL + 1):
        run.add(lost_end(GO_GO, name=f"case_{number}"))
    run.run_finished(1.0)
    assert len(asked) == MOST_IN_FULL
    *_, last = cases(tmp_path)
    assert last["replay"] == last["id"]
    assert "conversation" not in last


def test_paths_of_logs_in_the_report_folder_are_relative(tmp_path: Path) -> None:
    """An uploaded report names its logs where they lie after the download."""
    run = recorder(tmp_path)
    run.add(lost_end(attachments=(Attachment(LOG, "go server", str(tmp_path / "logs" / "go.log"), ""),)))
    run.run_finished(1.0)
    assert [log.path for record in StoredReport(tmp_path).records() for log in record.attachments] == ["logs/go.log"]
