"""Abort, by which a play that hangs still yields two transcripts."""

import time

from grpc_interop.check_driver.bench import FINISH, RECEIVE, TO_END, Bench, Duo, kinds_of
from grpc_interop.check_driver.greeter import ALL_STREAM, METHODS
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.check_driver.talk import QUIET_SECONDS, Talk
from grpc_interop.drivers import driver_pb2 as pb

abort = Chapter("8. Abort")

MEET_SECONDS = 1.0
"""How long two sides may take to exchange their first messages, where the driver has no signals."""


def _hanging(bench: Bench) -> tuple[Duo, int]:
    """Start a call whose two sides wait for each other after a message each way."""
    duo = bench.duo
    play = duo.new_play()
    duo.expect(play, ALL_STREAM, RECEIVE, duo.answer(ALL_STREAM, "answer"), TO_END, FINISH)
    calling = [duo.request(ALL_STREAM, "request"), RECEIVE, TO_END]
    if "signals" not in bench.capabilities:
        duo.call(play, ALL_STREAM, *calling)
        time.sleep(MEET_SECONDS)
        return duo, play
    calling.insert(2, pb.Step(signal="met"))
    duo.call(play, ALL_STREAM, *calling, requires=["signals"])
    duo.client.answer(play, "signal")
    return duo, play


def _abort(talk: Talk, play: int, *, if_not_arrived: bool = False) -> None:
    talk.order(pb.Command(abort=pb.Abort(play=play, if_not_arrived=if_not_arrived)))


def _frozen(talk: Talk, play: int, who: str) -> pb.Transcript:
    """Freeze a play that has observed a message and no end of its call, and return its transcript."""
    _abort(talk, play)
    seen = talk.transcript(play)
    observed = kinds_of(seen)
    if not seen.aborted or not seen.arrived:
        raise NotKept(f"the {who}'s transcript has aborted = {seen.aborted} and arrived = {seen.arrived}; both must be true")
    if observed != ["message"]:
        raise NotKept(f"the {who} reported {observed}; it had observed one message, and the call had not ended")
    return seen


@abort.check("freezes a play")
def freezes(bench: Bench) -> None:
    """The first Abort makes a play that waits report at once what it has observed, with `aborted`; the call stays open,
    so that the other side notices nothing."""
    duo, play = _hanging(bench)
    if _frozen(duo.client, play, "client").HasField("status"):
        raise NotKept("the client reported a status though its call was still open")
    duo.server.stays_quiet(play, "the client's Abort")
    _frozen(duo.server, play, "server")
    for talk in (duo.client, duo.server):
        _abort(talk, play)


@abort.check("ends a frozen play")
def ends_frozen(bench: Bench) -> None:
    """The second Abort of a play ends its call, and is not answered."""
    duo, play = _hanging(bench)
    _frozen(duo.client, play, "client")
    _abort(duo.client, play)
    duo.client.stays_quiet(play, "a second Abort")
    seen = duo.server.transcript(play)
    last = kinds_of(seen)[-1:]
    if last not in (["terminated"], ["end"]):
        raise NotKept(f"the client ended the call, and the server's last observation is {last}; expected `terminated` or `end`")


@abort.check("ends a frozen server")
def ends_frozen_server(bench: Bench) -> None:
    """The second Abort at the server ends the call with an error, regardless of the script."""
    duo, play = _hanging(bench)
    _frozen(duo.server, play, "server")
    duo.client.stays_quiet(play, "the server's first Abort")
    _abort(duo.server, play)
    duo.server.stays_quiet(play, "a second Abort")
    seen = duo.client.transcript(play)
    if seen.status.code == 0:
        raise NotKept("the client got OK; expected an error, since its server was aborted")


@abort.check("forgets calls that never arrived")
def forgets_calls_that_never_arrived(bench: Bench) -> None:
    """Abort with `if_not_arrived` makes a server's play whose call has not come report `arrived` = false, of every kind
    of method; it does nothing when the call has come."""
    duo = bench.duo
    for method in METHODS:
        play = duo.new_play()
        duo.expect(play, method, RECEIVE, FINISH)
        _abort(duo.server, play, if_not_arrived=True)
        if duo.server.transcript(play).arrived:
            raise NotKept(f"{method.name}: it reported that a call had arrived, but nobody made any")
    duo, play = _hanging(bench)
    _abort(duo.server, play, if_not_arrived=True)
    duo.server.stays_quiet(play, "an Abort that is only for calls that have not arrived")
    for talk in (duo.client, duo.server):
        _abort(talk, play)
        _abort(talk, play)


@abort.check("aborts a play without call")
def aborts_without_call(bench: Bench) -> None:
    """A plain Abort of a server's play whose call has not come is reported at once, with `arrived` = false and
    `aborted`."""
    duo = bench.duo
    play = duo.new_play()
    duo.expect(play, ALL_STREAM, RECEIVE, FINISH)
    _abort(duo.server, play)
    seen = duo.server.transcript(play)
    if seen.arrived or not seen.aborted:
        raise NotKept(f"the transcript has arrived = {seen.arrived} and aborted = {seen.aborted}; expected false and true")


@abort.check("ignores plays that are over")
def ignores_plays_that_are_over(bench: Bench) -> None:
    """Abort of a play that has reported, or was never heard of, is ignored."""
    talk = bench.talk
    unknown = talk.new_id()
    command = talk.order(pb.Command(abort=pb.Abort(play=unknown)))
    for command_id in (unknown, command):
        talk.stays_quiet(command_id, f"an Abort of a play that does not exist (for {QUIET_SECONDS:g} s)")
    talk.is_alive()
