"""Lanes that run at the same time, and signals between the two sides."""

from grpc_interop.check_driver.bench import FINISH, RECEIVE, TO_END, Bench
from grpc_interop.check_driver.greeter import ALL_STREAM, GET_STREAM, case, text
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.core.case import Finish, HalfClose, Lane, Receive, ReceiveToEnd, Send, Signal, Status, WaitFor
from grpc_interop.drivers import driver_pb2 as pb

lanes = Chapter("10.3 Lanes and signals")


@lanes.check("plays two lanes", needs="lanes")
def plays_two_lanes(bench: Bench) -> None:
    """Two lanes run at the same time on both sides: a lane sends while the other receives."""
    count = 200
    client_sends: Lane = (*[Send(text(f"up {number} {'x' * 500}")) for number in range(count)], HalfClose())
    server_sends: Lane = tuple(Send(text(f"down {number} {'x' * 500}")) for number in range(count))
    bench.play(case("both_at_once", ALL_STREAM, (client_sends, (ReceiveToEnd(),)), (server_sends, (ReceiveToEnd(), Finish()))))


@lanes.check("finishes after both lanes", needs="lanes")
def finishes_after_both_lanes(bench: Bench) -> None:
    """`finish` waits until the other lane has done its steps."""
    server = ((Finish(Status(9, "done")),), (Receive(), Send(text("first")), Receive(), Send(text("second"))))
    client = (Send(text("a")), Receive(), Send(text("b")), Receive(), ReceiveToEnd())
    bench.play(case("finish_waits", ALL_STREAM, client, server))


@lanes.check("carries signals", needs="signals")
def carries_signals(bench: Bench) -> None:
    """`signal` reaches the other side's `wait_for`, whether it waits already or not yet; each signal is taken once."""
    client = (Send(text("a")), Receive(), Signal("got"), Signal("got"), Receive(), Signal("got"), ReceiveToEnd())
    server = (Receive(), Send(text("1")), WaitFor("got"), WaitFor("got"), Send(text("2")), WaitFor("got"), Finish())
    bench.play(*[case("signals", method, client, server) for method in (GET_STREAM, ALL_STREAM)])


@lanes.check("waits for signals", needs="signals")
def waits_for_signals(bench: Bench) -> None:
    """`wait_for` does not end before the signal has come, at either side."""
    duo = bench.duo
    request = duo.request(GET_STREAM, "a")
    for waiting in (duo.server, duo.client):
        wait = (pb.Step(wait_for="proceed"),)
        play = duo.new_play()
        server = (RECEIVE, *(wait if waiting is duo.server else ()), FINISH)
        duo.expect(play, GET_STREAM, *server, requires=["signals"])
        client = (*(wait if waiting is duo.client else ()), request, TO_END)
        duo.call(play, GET_STREAM, *client, requires=["signals"])
        duo.client.stays_quiet(play, "a call in which a side waits for a signal")
        duo.server.stays_quiet(play, "a script that waits for a signal, or for a client that waits")
        waiting.order(pb.Command(signal=pb.Signal(play=play, name="proceed")))
        for talk in (duo.client, duo.server):
            talk.transcript(play)


@lanes.check("lets go of waiting", needs="signals")
def lets_go_of_waiting(bench: Bench) -> None:
    """A client's `wait_for` ends when the call ends."""
    duo = bench.duo
    play = duo.new_play()
    duo.expect(play, ALL_STREAM, RECEIVE, pb.Step(finish=pb.Status(code=9)))
    waiting = (duo.request(ALL_STREAM, "a"), pb.Step(wait_for="never"), TO_END)
    duo.call(play, ALL_STREAM, *waiting, requires=["signals"])
    duo.server.transcript(play)
    duo.client.transcript(play)
