"""What a person sees, compared with stored text. UPDATE_EXPECTED=1 writes the stored text again, to be read in a diff."""

import io
import os
from pathlib import Path

import pytest

from conversations import (
    ALL_STREAM,
    GO_GO,
    GO_PY,
    PY_GO,
    PY_PY,
    cannot,
    describe,
    hello,
    lost_end,
    observed,
    passed,
    ping_pong,
    wrong_greeting,
)
from grpc_interop.core.case import Case, Finish, HalfClose, ReceiveToEnd, Send, Status
from grpc_interop.core.side import Side
from grpc_interop.core.transcript import END, ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import LOG, Attachment, Difference, Outcome, Pair, Verdict
from grpc_interop.report import Implementation, Recorder, RunInfo
from grpc_interop.report.forms.terminal import PLAIN_SECONDS, Terminal

EXPECTED = Path(__file__).parent / "expected"
FOUR = (GO_GO, GO_PY, PY_GO, PY_PY)


def assert_expected(name: str, text: str) -> None:
    path = EXPECTED / f"{name}.txt"
    if os.environ.get("UPDATE_EXPECTED"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


class Run:
    """A recorder with only a terminal report, and what that wrote."""

    def __init__(self, directory: Path, pairs: tuple[Pair, ...] = FOUR) -> None:
        self.out = io.StringIO()
        self.now = 0.0
        directory = directory / "report"
        terminal = Terminal(directory, self.out, clock=lambda: self.now)
        self.recorder = Recorder(directory, [terminal], describe=describe, replay_text=lambda verdict: "ic1:eJyrVkrOz0nV")
        self.recorder.run_started(RunInfo("interop run", 1, pairs, (Implementation("go"), Implementation("py"))))

    def finish(self, *, interrupted: bool = False) -> str:
        self.recorder.run_finished(12.34, interrupted=interrupted)
        return self.out.getvalue()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return Run(tmp_path)


def test_a_green_run_is_the_matrix_and_one_line(run: Run) -> None:
    """Without failures nothing stands between the header and the matrix."""
    for pair in FOUR:
        run.recorder.add(passed(hello(), pair))
        run.recorder.add(passed(ping_pong(10), pair))
    assert_expected("green", run.finish())


def test_failures_show_both_sides_beside_the_model(run: Run) -> None:
    """One block per cause, with its extent, the logs' last lines and the replay line."""
    directory = run.recorder.directory
    logs = (
        Attachment(LOG, "py client", str(directory / "logs/py-client-1.log"), ""),
        Attachment(LOG, "go server", str(directory / "logs/go-server-1.log"), "waiting\n\x1b[31mstill waiting"),
    )
    for pair in FOUR:
        run.recorder.add(passed(hello(), pair))
        run.recorder.add(passed(ping_pong(10), pair))
    for name in ("a", "b", "c"):
        run.recorder.add(lost_end(PY_GO, name=name, attachments=logs))
        run.recorder.add(lost_end(PY_PY, name=name, attachments=logs))
    run.recorder.add(wrong_greeting(GO_PY))
    assert_expected("failures", run.finish())


def test_a_client_that_told_its_times_has_a_column_for_them(run: Run) -> None:
    """Steps that it never did have none, and neither have the messages of a step that takes all that come."""
    case = ping_pong(2)
    client = ClientTranscript(((b"y1",),), (), None, 5_000_321, aborted=True, done_us=((212, 4_100),))
    server = ServerTranscript(True, ((b"x1",),), (), aborted=True)
    run.recorder.add(observed(case, PY_GO, client, server))
    one = Case("calls", "stream", ALL_STREAM, ((HalfClose(), ReceiveToEnd()),), ((ReceiveToEnd(), Send(b"y1"), Send(b"y2"), Finish()),))
    early = ClientTranscript(((b"y1", END),), (), Status(0), 3_000, done_us=((100, 2_900),))
    run.recorder.add(observed(one, GO_GO, early))
    assert_expected("timed", run.finish())


def test_long_conversations_and_messages_are_cut(run: Run) -> None:
    """A thousand messages need a dozen lines, a megabyte a few words."""
    run.recorder.add(lost_end(GO_GO, 1000))
    run.recorder.add(wrong_greeting(GO_PY, b"y" * (1 << 20)))
    assert_expected("long", run.finish())


def test_what_did_not_run_is_named_with_its_reason(run: Run, tmp_path: Path) -> None:
    """A pair without a toolchain, one that nobody spoke of, and cases that a driver cannot play."""
    other = Run(tmp_path, (GO_GO, PY_GO, Pair("java", "go"), Pair("go", "rust")))
    other.recorder.not_run("java", "no JDK found\ninstall one, or set JAVA_HOME")
    other.recorder.add(passed(hello(), GO_GO))
    other.recorder.add(passed(hello(), PY_GO))
    other.recorder.add(cannot())
    assert_expected("not_run", other.finish())


def test_a_driver_that_cannot_start_is_one_line(run: Run) -> None:
    """Whatever else its pairs lack, and in however many pairs: there is one cause."""
    for pair in FOUR:
        if "go" in (pair.client, pair.server):
            run.recorder.not_run(str(pair), "go's driver cannot be started")
            what = Difference(Side.CLIENT, "go has no program greeter-client")
            run.recorder.add(Verdict(hello(), pair, Outcome.UNSUPPORTED, difference=what))
    run.recorder.add(passed(hello(), PY_PY))
    text = run.finish()
    assert text.count("go's driver cannot be started") == 1
    assert "  every pair with go  go's driver cannot be started\n" in text
    assert "has no program" not in text
    assert "go               not run  not run\npy               not run      1/1\n" in text


def test_what_one_pair_lacks_is_told_although_another_was_given_up(run: Run) -> None:
    run.recorder.not_run("go:go", "go's driver cannot be started")
    for pair in (GO_GO, GO_PY):
        run.recorder.add(
            Verdict(hello(), pair, Outcome.UNSUPPORTED, difference=Difference(Side.CLIENT, "go has no program greeter-client"))
        )
    text = run.finish()
    assert "2 cases · in every pair; all had client go: go has no program greeter-client" in text
    assert "go               not run  unsupported" in text


def test_an_interrupted_run_still_shows_its_matrix(run: Run) -> None:
    """Ctrl-C: what was done, and that the rest was not."""
    run.recorder.add(passed(hello(), GO_GO))
    assert_expected("interrupted", run.finish(interrupted=True))


def test_a_dead_driver_is_told_without_a_conversation(run: Run) -> None:
    """Neither side reported: there is nothing to show side by side."""
    what = "the go server was killed by SIGSEGV"
    run.recorder.add(Verdict(hello(), PY_GO, Outcome.FAILED, difference=Difference(Side.SERVER, what), notes=("played alone",)))
    assert_expected("dead_driver", run.finish())


def test_at_most_five_causes_have_a_block(run: Run) -> None:
    """Further ones are counted."""
    for number in range(8):
        letter = "abcdefgh"[number]
        run.recorder.add(Verdict(hello(), PY_GO, Outcome.FAILED, difference=Difference(Side.CLIENT, f"reason {letter}")))
    text = run.finish()
    assert text.count("✗ py:go  Greeter/SayHello") == 5
    assert "and 3 more causes: see report/results.json" in text


def test_nothing_from_outside_reaches_the_terminal_raw(run: Run) -> None:
    """Escape codes and markup in messages, notes, logs and reasons appear as text."""
    evil = "\x1b]0;owned\x07 [bold]x[/bold] \u202e"
    case = hello()
    client = ClientTranscript(((b"\x1b[2J", END),), (), case.server[0][-1].status)  # type: ignore[union-attr]
    run.recorder.add(observed(case, PY_GO, client, notes=(evil,), attachments=(Attachment(LOG, "go server", "log", evil),)))
    run.recorder.not_run("go:py", evil)
    text = run.finish()
    assert not {char for char in text if ord(char) < 32} - {"\n"}
    assert "\u202e" not in text
    assert r"\x1b]0;owned\x07 [bold]x[/bold] \u202e" in text


def test_off_a_terminal_progress_is_a_few_plain_lines(run: Run) -> None:
    """Milestones are printed; cases are counted twice a minute."""
    run.recorder.note_progress("building go")
    for second in range(int(2 * PLAIN_SECONDS) + 1):
        run.now = float(second)
        run.recorder.add(passed(hello(str(second))))
    assert run.out.getvalue().splitlines()[1:] == ["building go", "31 cases", "61 cases"]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_screen(directory: Path) -> str:
    out = Screen()
    recorder = Recorder(directory, [Terminal(directory, out, width=100)], describe=describe)
    recorder.run_started(RunInfo("interop run", 1, (PY_GO,)))
    recorder.note_progress("building go")
    recorder.add(wrong_greeting())
    recorder.run_finished(1.0)
    return out.getvalue()


def test_on_a_terminal_there_is_one_live_line_and_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live line is rewritten in place and gone in the end."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = on_screen(tmp_path)
    assert "\r\x1b[2Kbuilding go" in text
    assert text.count("\r\x1b[2K") == 3
    assert "\x1b[31m" in text


def test_a_milestone_that_lasts_stays_above_the_live_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live line goes on below it, with what it told of before."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Screen()
    terminal = Terminal(tmp_path, out, width=100)
    terminal.note_progress("building go")
    terminal.note_progress("py:py  9 passed", lasting=True)
    assert out.getvalue() == "\r\x1b[2Kbuilding go\r\x1b[2Kpy:py  9 passed\n\r\x1b[2Kbuilding go"


def test_no_color_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves no colour codes."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    text = on_screen(tmp_path)
    assert not any(f"\x1b[{code}" in text for code in ("31", "1;31", "32", "33", "36"))
