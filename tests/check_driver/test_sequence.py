"""In which order checks are asked, which are left out, and what a person reads."""

import pytest

from grpc_interop.check_driver import sequence
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.promises import Chapter, CheckResult
from grpc_interop.commands.check_driver import tell
from grpc_interop.drivers.build import Built
from grpc_interop.drivers.manifest import Manifest
from grpc_interop.errors import BuildError


@pytest.fixture
def ask(monkeypatch, reference, tmp_path):
    """Asks the checks of one chapter."""

    def run(chapter: Chapter) -> list[CheckResult]:
        monkeypatch.setattr(sequence, "CHECKS", tuple(chapter.checks))
        return list(sequence.checks(reference(), tmp_path))

    return run


def chapter_of(*, vital: bool = False, needs: str = "") -> Chapter:
    chapter = Chapter("1. First")

    @chapter.check("breaks", vital=vital)
    def breaks(_bench):
        """It
        never breaks."""
        raise NotKept("it broke")

    @chapter.check("holds", needs=needs)
    def holds(_bench):
        """It holds."""

    return chapter


def test_what_is_not_kept_says_what_happened_and_what_is_due(ask):
    assert ask(chapter_of()) == [
        CheckResult(1, "breaks", "1. First", False, "it broke", "expected: It never breaks."),
        CheckResult(2, "holds", "1. First", True, "It holds.", ""),
    ]


def test_nothing_is_asked_that_builds_upon_what_is_not_kept(ask):
    assert ask(chapter_of(vital=True))[1][3:] == (None, "not asked, since check 1 is not kept", "")


def test_capabilities_that_are_not_offered_are_not_asked(ask):
    assert ask(chapter_of(needs="lanes signals"))[1][3:] == (None, "not asked, since Hello does not offer lanes, signals", "")


def test_nothing_to_start_is_an_error(tmp_path):
    with pytest.raises(BuildError, match="neither its manifest nor its build names a driver"):
        list(sequence.checks(Built(Manifest("mine", tmp_path / "interop.toml")), tmp_path))


def test_each_result_is_printed_with_what_to_do(ask, capsys, tmp_path):
    assert tell(ask(chapter_of()), "mine", tmp_path) == 1
    assert capsys.readouterr().out == (
        "NOT KEPT   1  breaks\n"
        "              it broke\n"
        "              expected: It never breaks.\n"
        "kept       2  holds\n"
        "mine: 1 kept, 1 not kept, 0 not asked\n"
        f"begin with 1, breaks: docs/driver-contract.md, 1. First; what the driver printed is in {tmp_path}\n"
    )


def test_a_clean_driver_ends_with_status_0(ask, capsys, tmp_path):
    assert tell([CheckResult(1, "holds", "1. First", True, "It holds.", "")], "mine", tmp_path) == 0
    assert capsys.readouterr().out.endswith("mine: 1 kept, 0 not kept, 0 not asked\n")


def test_what_is_not_asked_for_one_reason_is_one_line(capsys, tmp_path):
    unasked = [CheckResult(number, "later", "2. Then", None, "not asked, since check 1 is not kept", "") for number in range(2, 72)]
    lacking = CheckResult(72, "cancels", "3. More", None, "not asked, since Hello does not offer cancel", "")
    tell([CheckResult(1, "connects", "1. First", False, "it did not", "due"), *unasked, lacking], "mine", tmp_path)
    printed = capsys.readouterr().out
    assert "-          2  to 71: 70 checks not asked, since check 1 is not kept\n" in printed
    assert "-         72  cancels\n              not asked, since Hello does not offer cancel\n" in printed
    assert "mine: 0 kept, 1 not kept, 71 not asked\n" in printed
