"""How servers and processes end."""

import socket

import grpc

from grpc_interop.check_driver.bench import FINISH, RECEIVE, TO_END, Bench, Duo, kinds_of
from grpc_interop.check_driver.greeter import ALL_STREAM, text
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.opening import END_SECONDS
from grpc_interop.check_driver.plain_client import open_plain_call
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.check_driver.talk import ANSWER_SECONDS
from grpc_interop.drivers import driver_pb2 as pb

endings = Chapter("11. The end")


def _open_call(duo: Duo) -> int:
    """Start a call that has reached its server's handler and waits there for the client."""
    play = duo.new_play()
    duo.expect(play, ALL_STREAM, duo.answer(ALL_STREAM, "welcome"), TO_END, FINISH)
    duo.call(play, ALL_STREAM, TO_END)
    duo.client.stays_quiet(play, "a call that cannot end yet")
    return play


@endings.check("cuts calls off when it is closed")
def cuts_calls_off(bench: Bench) -> None:
    """`close` of a server without `graceful` ends its calls at once: both sides report, the client with an error."""
    duo = bench.duo
    play = _open_call(duo)
    close = duo.server.order(pb.Command(close=pb.Close(resource=duo.serving)))
    duo.server.answer(close, "done")
    duo.server.transcript(play)
    seen = duo.client.transcript(play)
    if seen.status.code == 0:
        raise NotKept("the client of a call that was cut off got OK")
    bench.clear_away()


@endings.check("lets calls finish when it is closed gracefully")
def lets_calls_finish(bench: Bench) -> None:
    """`close` of a server with `graceful` lets its calls finish, and is answered with Done only then; both sides see the
    call as if nothing had happened."""
    duo = bench.duo
    play = duo.new_play()
    answer = duo.answer(ALL_STREAM, "answer")
    duo.expect(play, ALL_STREAM, RECEIVE, answer, TO_END, answer, FINISH)
    with open_plain_call(duo.address, ALL_STREAM, ANSWER_SECONDS, play) as caller:
        caller.send(text("request"))
        caller.receive()
        close = duo.server.order(pb.Command(close=pb.Close(resource=duo.serving, graceful=True)))
        duo.server.stays_quiet(close, "a graceful close while a call is in flight")
        caller.half_close()
        rest = caller.rest()
    if rest.status is not grpc.StatusCode.OK or len(rest.messages) != 1:
        raise NotKept(
            f"the call in flight ended with {rest.status.name} and {len(rest.messages)} of 1 messages more; expected OK and the message"
        )
    seen = duo.server.transcript(play)
    observed = kinds_of(seen)
    if observed != ["message", "end"]:
        raise NotKept(f"the server reported {observed} of the call in flight; expected a message and the end")
    duo.server.answer(close, "done")
    bench.clear_away()


@endings.check("leaves nothing behind")
def leaves_nothing_behind(bench: Bench) -> None:
    """With a server, a channel and calls in flight the driver still ends within 2 s, with status 0, and nobody listens
    at its port any more."""
    duo = bench.duo
    _open_call(duo)
    for talk in (duo.client, duo.server):
        talk.driver.process.end_stdin()
    for talk in (duo.client, duo.server):
        status = talk.exit_status(END_SECONDS)
        if status != 0:
            how = f"ended with status {status}" if status is not None else f"still runs after {END_SECONDS:g} s"
            raise NotKept(f"its stdin ended with a call in flight, and it {how}")
    with socket.socket() as probe:
        probe.settimeout(1.0)
        host, _, port = duo.address.rpartition(":")
        if probe.connect_ex((host, int(port))) == 0:
            raise NotKept(f"something still listens at {duo.address} after the driver has ended")
    bench.clear_away()
