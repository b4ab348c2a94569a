"""An intended break's way through a repository: found, accepted, merged, and no concern of the next pull request."""

from pathlib import Path
from typing import Any

import pytest

from repository import Repository

OLD = "message Ask { int64 number = 1; string text = 2; }\nservice S { rpc Do(Ask) returns (Ask); }"
NARROWED = OLD.replace("int64 number", "int32 number")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A project of `py` alone, with a branch on which a field got narrower."""
    made = Repository(tmp_path / "repository")
    made.write("interop.toml", 'implementations = ["py"]\n[protos]\nroots = ["protos"]\n')
    made.write(".gitignore", ".interop/\n")
    made.proto("protos/a.proto", OLD)
    made.commit()
    made.git("switch", "-q", "-c", "narrow")
    made.proto("protos/a.proto", NARROWED)
    return made


def compared(repository: Repository) -> tuple[int, dict[str, Any]]:
    """The exit status, and each change by its element."""
    done = repository.interop("compat", "--base", "main")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode, {change["element"]: change for change in repository.compared["changes"]}


def test_a_break_that_is_accepted_and_merged_fails_nothing_and_no_one_after_it(repository: Repository) -> None:
    """
    The next change of the same field is judged for itself; and the entry need not be taken away.
    """
    assert compared(repository)[0] == 1
    accepting = repository.interop("compat", "accept", "t.Ask.number", "--reason", "never that large")
    assert accepting.stdout == "interop.accepted.toml:1: accepted: t.Ask.number: int64 number = 1 -> int32 number = 1\n"

    status, changes = compared(repository)
    assert (status, changes["t.Ask.number"]["verdict"]) == (0, "accepted")
    assert changes["t.Ask.number"]["observations"] != []
    assert repository.compared["rollout"]["servers_first"] == "breaks"

    repository.commit()
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "narrow")
    assert compared(repository) == (0, {})

    repository.git("switch", "-q", "-c", "next")
    repository.proto("protos/a.proto", NARROWED.replace("string text = 2;", "string text = 2; string more = 3;"))
    status, changes = compared(repository)
    assert (status, {name: change["verdict"] for name, change in changes.items()}) == (0, {"t.Ask.more": "note"})
    assert repository.compared["bases"][0]["warnings"] == []

    repository.proto("protos/a.proto", NARROWED.replace("int32 number", "bool number"))
    status, changes = compared(repository)
    assert (status, changes["t.Ask.number"]["verdict"]) == (1, "break")


def test_a_break_can_be_accepted_before_it_is_seen(repository: Repository) -> None:
    """
    From the two sides themselves; what they do not change is refused.
    """
    refused = repository.interop("compat", "accept", "t.Ask.numbr", "--reason", "x", "--base", "main")
    assert refused.returncode == 2
    assert "did you mean t.Ask.number?" in refused.stderr
    accepting = repository.interop("compat", "accept", "t.Ask.number", "--reason", "x", "--base", "main")
    assert accepting.returncode == 0, accepting.stderr
    assert compared(repository)[0] == 0


def test_a_file_of_accepted_breaks_that_cannot_be_read_stops_the_comparison_at_once(repository: Repository) -> None:
    """
    Before anything is built.
    """
    repository.write("interop.accepted.toml", "[[accepted]]\nelemnt = 1\n")
    done = repository.interop("compat", "--base", "main")
    assert done.returncode == 2
    assert "did you mean `element`?" in done.stderr
    assert not (repository.folder / ".interop" / "build").exists()
