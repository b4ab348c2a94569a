"""Drivers that die, hang or break the contract: the culprit fails with words that say so, and everything else runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from grpc_interop.check_driver.greeter import ALL_STREAM, GET_STREAM, PUT_STREAM, SAY_HELLO, exchange
from grpc_interop.core.case import Case, Status
from grpc_interop.core.verdict import Outcome, Verdict
from grpc_interop.engine import pool as pool_module
from grpc_interop.engine import watchdog

ROLES = {"client": "bad:good", "server": "good:bad"}
"""Where the faulty driver plays."""

pytestmark = pytest.mark.parametrize("role", ROLES)


def few_of_each_kind() -> list[Case]:
    return [
        exchange("hello", SAY_HELLO),
        exchange("refused", SAY_HELLO, status=Status(5, "no")),
        exchange("stream", GET_STREAM, answers=4),
        exchange("collect", PUT_STREAM, requests=4),
        exchange("both", ALL_STREAM, requests=4, answers=4),
    ]


def words(verdict: Verdict) -> str:
    assert verdict.difference is not None, f"{verdict.id} {verdict.outcome}"
    return verdict.difference.what


def outcomes(verdicts: dict[str, Verdict]) -> dict[str, str]:
    return {name: verdict.outcome.value for name, verdict in verdicts.items()}


def all_are(outcome: str) -> dict[str, str]:
    return {case.name: outcome for case in few_of_each_kind()}


class TestStarting:
    """A driver that never gets ready: its pair is dropped with the reason, and nobody waits for it."""

    def test_dies(self, play, role):
        play.add("bad", fault="dies_at_start")
        assert play.run(ROLES[role], few_of_each_kind()) == {}
        why = play.why_dropped(ROLES[role])
        assert "bad's driver cannot be started: it exited with status 3; its last words" in why
        assert "no such library: libreference.so" in why

    def test_never_connects(self, play, role, monkeypatch):
        # The healthy ones start with all the patience that a loaded machine needs.
        play.enqueue("good:good", [exchange("warm_up", SAY_HELLO)])
        play.to_the_end()
        monkeypatch.setattr(watchdog, "START_SECONDS", 2.0)
        play.add("bad", fault="never_connects")
        assert play.run(ROLES[role], few_of_each_kind()) == {}
        why = play.why_dropped(ROLES[role])
        assert "bad's driver cannot be started: it did not connect to the address in INTEROP_DRIVER_ADDRESS within 2 s" in why
        assert "`interop check-driver bad` shows what is missing" in why

    def test_speaks_another_version(self, play, role):
        play.add("bad", fault="speaks_another_version")
        assert play.run(ROLES[role], few_of_each_kind()) == {}
        assert "speaks version 2 of the driver contract; this harness speaks 1" in play.why_dropped(ROLES[role])

    def test_cannot_be_found(self, play, role):
        play.add("bad", fault="dies_at_start")
        built = play.engine.pool.built["bad"]
        play.engine.pool.built["bad"] = type(built)(built.manifest, type(built.driver)(("./no-such-driver",)))
        assert play.run(ROLES[role], few_of_each_kind()) == {}
        assert "cannot start ./no-such-driver: No such file or directory" in play.why_dropped(ROLES[role])


class TestDying:
    @pytest.mark.parametrize(("fault", "how"), [("exits", "exited with status 7"), ("crashes", "was killed by SIGKILL")])
    def test_only_the_culprit_is_red(self, play, role, fault, how):
        """Cases that were in flight with the one that kills the driver are played again alone, and pass."""
        play.add("bad", fault=fault, method="PutStream")
        verdicts = play.run(ROLES[role], [*few_of_each_kind(), *[exchange(f"more_{n}", SAY_HELLO) for n in range(20)]])
        assert len(verdicts) == 25
        assert [name for name, verdict in verdicts.items() if verdict.outcome != "passed"] == ["collect"]
        assert verdicts["collect"].outcome is Outcome.FAILED
        assert words(verdicts["collect"]) == f"the bad {role} {how}"

    def test_last_words_go_with_the_verdict(self, play, role):
        play.add("bad", fault="exits", method="SayHello")
        verdict = play.run(ROLES[role], [exchange("hello", SAY_HELLO)])["hello"]
        log = next(log for log in verdict.attachments if log.name == f"bad {role}")
        assert log.text.splitlines()[-1] == "giving up"
        assert Path(log.path).is_file()

    def test_a_death_that_no_case_brings_about_alone_is_an_error(self, play, role):
        """The third play of every process kills it, whichever it is: nobody is red for it, but the death is told."""
        play.add("bad", fault="exits", play="3")
        verdicts = play.run(ROLES[role], few_of_each_kind())
        assert len(verdicts) == len(few_of_each_kind())
        told = [verdict for verdict in verdicts.values() if verdict.outcome is not Outcome.PASSED]
        assert told
        assert {f"the bad {role} exited with status 7" in words(verdict) for verdict in told} == {True}, list(map(words, told))

    def test_dies_again_while_it_is_started_again(self, play, role, tmp_path):
        """As when a system without memory kills what it finds: the third process plays all that is left."""
        play.add("bad", fault="dies_at_the_next_start", starts=str(tmp_path / "starts"))
        verdicts = play.run(ROLES[role], few_of_each_kind())
        assert set(verdicts) == set(all_are("passed"))
        assert play.why_dropped(ROLES[role]) == ""
        assert len((tmp_path / "starts").read_text()) == 3
        told = [words(verdict) for verdict in verdicts.values() if verdict.outcome is not Outcome.PASSED]
        assert all("exited with status 7" in text for text in told)

    def test_leaves_no_child_behind(self, play, role):
        """What a driver started dies with it (the fixture looks for it)."""
        play.add("bad", fault="leaves_a_child_behind")
        verdict = play.run(ROLES[role], [exchange("hello", SAY_HELLO)])["hello"]
        assert words(verdict) == f"the bad {role} exited with status 7"


class TestHanging:
    @pytest.mark.parametrize("fault", ["stops_itself", "stops_reading", "never_reports"])
    def test_a_driver_that_does_not_answer_is_killed(self, play, role, fault):
        play.add("bad", fault=fault, method="PutStream")
        verdicts = play.run(ROLES[role], few_of_each_kind())
        assert [(v.case.name, v.difference, v.notes) for v in verdicts.values() if v.outcome != "passed" and v.case.name != "collect"] == []
        assert outcomes(verdicts) == all_are("passed") | {"collect": "failed"}
        assert words(verdicts["collect"]) == f"the bad {role} did not answer for 1 s and was killed"

    def test_what_hangs_always_is_given_up(self, play, role, monkeypatch):
        """The run's time stays bounded: each hang costs the watchdog's full patience."""
        monkeypatch.setattr(pool_module, "MOST_HANGS", 2)
        play.add("bad", fault="stops_itself")
        verdicts = play.run(ROLES[role], [exchange(f"hello_{n}", SAY_HELLO) for n in range(40)])
        assert len(verdicts) == 40
        assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.FAILED, Outcome.ERROR}
        given_up = [words(verdict) for verdict in verdicts.values() if verdict.outcome is Outcome.ERROR]
        assert f"and did not come back: the bad {role} hung 2 times in a row" in given_up[0]

    def test_one_call_that_hangs_harms_no_other(self, play, role):
        """The driver lives: Abort brings both transcripts, and its stacks are in the log."""
        play.add("bad", fault="hangs", method="PutStream")
        verdicts = play.run(ROLES[role], few_of_each_kind())
        assert outcomes(verdicts) == all_are("passed") | {"collect": "failed"}
        collect = verdicts["collect"]
        assert words(collect) == "the server did not receive message 1 of 4 and still waits for it"
        assert collect.client is not None and collect.server is not None
        log = next(log for log in collect.attachments if log.name == f"bad {role}")
        assert "on_rpc" in Path(log.path).read_text()


class TestDebugged:
    def test_nothing_is_late(self, play, role):
        """Neither the start nor a play that waits at a breakpoint."""
        play.add("bad", fault="is_slow")
        built = play.engine.pool.built["bad"]
        play.engine.add(replace(built, manifest=replace(built.manifest, debugged=True)))
        assert outcomes(play.run(ROLES[role], few_of_each_kind())) == all_are("passed")


class TestBreakingTheContract:
    @pytest.mark.parametrize(
        ("fault", "how"),
        [
            ("says_garbage", "sent 16 bytes that are not an Event"),
            ("sends_a_huge_frame", "sent a frame of 2,097,152 bytes; the most is 1,048,576"),
        ],
    )
    def test_a_broken_connection_ends_the_driver(self, play, role, fault, how):
        play.add("bad", fault=fault)
        verdicts = play.run(ROLES[role], few_of_each_kind())
        # As a server it may be found out before a case was sent to it.
        told = [words(verdict) for verdict in verdicts.values() if verdict.outcome is not Outcome.PASSED]
        assert told or play.why_dropped(ROLES[role])
        for text in [*told, play.why_dropped(ROLES[role])]:
            assert how in text or not text

    def test_a_second_report_is_told(self, play, role):
        """Of a case under way it fails the case; of one that is over it is a finding beside the cases."""
        play.add("bad", fault="reports_twice", method="PutStream")
        verdicts = play.run(ROLES[role], few_of_each_kind())
        collect = verdicts.pop("collect")
        assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.PASSED}
        if collect.outcome is Outcome.PASSED:
            [incident] = play.engine.incidents
            assert f"the bad {role} reported check-driver/greeter.v1.Greeter/PutStream/collect" in incident
        else:
            assert words(collect) == f"the bad {role} reported the play twice"

    def test_a_capability_must_be_there_when_it_is_claimed(self, play, role):
        play.add("bad", fault="claims_keepalive")
        play.add("modest")
        # The healthy pair would not offer it, so the case is played on this one alone.
        case = exchange("pings", SAY_HELLO, extra_requires=frozenset({"keepalive"}))
        play.enqueue("bad:bad", [case])
        play.enqueue("modest:modest", [case])
        claimed, modest = sorted(play.to_the_end(), key=lambda verdict: str(verdict.pair))
        assert claimed.outcome is Outcome.FAILED
        assert "refused what its Hello offers: this driver does not offer keepalive" in words(claimed)
        assert modest.outcome is Outcome.UNSUPPORTED
        assert words(modest) == "the modest client does not offer keepalive"


class TestNoise:
    def test_a_flooded_log_is_only_a_log(self, play, role):
        """100 MB of warnings beside a case that passes; what is shown of them stays small."""
        play.add("bad", fault="floods_stderr", play="1")
        verdicts = play.run(ROLES[role], few_of_each_kind())
        assert {verdict.outcome for verdict in verdicts.values()} <= {Outcome.PASSED, Outcome.FAILED}
        assert sum(verdict.outcome is Outcome.PASSED for verdict in verdicts.values()) >= 4
        assert all(len(log.text) < 20_000 for verdict in verdicts.values() for log in verdict.attachments)

    def test_stray_prints_do_no_harm(self, play, role):
        play.add("bad", fault="prints_to_stdout")
        assert outcomes(play.run(ROLES[role], few_of_each_kind())) == all_are("passed")
