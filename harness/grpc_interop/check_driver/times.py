"""The times of the steps of a play."""

import time

from grpc_interop.check_driver.bench import FINISH, HALF_CLOSE, RECEIVE, TO_END, Bench
from grpc_interop.check_driver.greeter import ALL_STREAM
from grpc_interop.check_driver.not_kept import NotKept
from grpc_interop.check_driver.promises import Chapter
from grpc_interop.core.side import Side

times = Chapter("10.7 Times")


@times.check("tells when steps were done", needs="times")
def tells_times(bench: Bench) -> None:
    """With `report_times` each lane reports when each of its steps was done, in order and within the play; the play reports when
    it began, by the machine's clock."""
    duo = bench.duo
    play = duo.new_play()
    serving = (RECEIVE, duo.answer(ALL_STREAM, "now"), TO_END, FINISH)
    calling = (duo.request(ALL_STREAM, "when?"), RECEIVE, HALF_CLOSE, TO_END)
    asked_us = time.time_ns() // 1000
    duo.expect(play, ALL_STREAM, *serving, requires=["times"], report_times=True)
    duo.call(play, ALL_STREAM, *calling, requires=["times"], report_times=True)
    for side, talk in ((Side.CLIENT, duo.client), (Side.SERVER, duo.server)):
        seen = talk.transcript(play)
        done = list(seen.lanes[0].done_us)
        if len(done) != seen.lanes[0].steps_done or not done:
            raise NotKept(f"the {side} did {seen.lanes[0].steps_done} steps and reported the times of {len(done)}")
        if done != sorted(done):
            raise NotKept(f"the {side}'s steps were reported as done at {done} us, which is not in their order")
        if done[-1] * 1000 > seen.elapsed_ns:
            end = seen.elapsed_ns // 1000
            raise NotKept(f"the {side}'s last step was reported as done at {done[-1]} us, after the play's end at {end} us")
        if not asked_us <= seen.began_us <= time.time_ns() // 1000:
            raise NotKept(f"the {side}'s play was reported to begin {seen.began_us - asked_us} us after its command, which is impossible")
