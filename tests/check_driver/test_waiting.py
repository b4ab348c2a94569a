"""A driver that is late: one is told what is waited for, then what did not come, and never left wondering."""

import pytest

from grpc_interop.check_driver import sequence, talk
from grpc_interop.check_driver.opening import first


@pytest.fixture
def late(monkeypatch, reference, tmp_path):
    """Asks a driver with that fault for its first signs of life; gives the first result, and what was noted meanwhile."""
    monkeypatch.setattr(talk, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(talk, "ANSWER_SECONDS", 1.5)
    monkeypatch.setattr(sequence, "CHECKS", tuple(first.checks))

    def ask(fault):
        notes = []
        results = list(sequence.checks(reference(fault=fault), tmp_path, notes.append))
        return next(result for result in results if result.kept is False), results[-1], notes

    return ask


def test_a_driver_that_does_not_connect(late, monkeypatch):
    monkeypatch.setattr(talk, "START_SECONDS", 3.0)
    result, last, notes = late("never_connects")
    assert notes == ["waiting for the driver to connect to the address in INTEROP_DRIVER_ADDRESS, for at most 3 s"]
    assert result.name == "connects"
    assert result.text.startswith("it runs, but did not connect to the address in INTEROP_DRIVER_ADDRESS within 3 s; it printed nothing")
    assert last.text == "not asked, since check 1 is not kept"


def test_a_driver_that_connects_and_says_nothing(late):
    result, last, notes = late("says_nothing")
    # A loaded machine may first have to be waited for until the driver connects.
    assert notes[-1] == "waiting for Hello on the connection, for at most 1.5 s"
    assert result.name == "says Hello"
    assert "it connected and said nothing for 1.5 s; send Hello as a frame before anything is read, and flush it" in result.text
    assert last.text == "not asked, since check 2 is not kept"
