"""A play: its script, what its first RPC observed, and the one report of it."""

import threading
import time
from collections import Counter
from collections.abc import Callable

import greeter

from grpc_interop.drivers import driver_pb2 as pb

END = pb.Observation(end=pb.Nothing())
TERMINATED = pb.Observation(terminated=pb.Nothing())

METADATA_PREFIX = "x-interop-"
CASE_KEY = "x-interop-case"


class Play:
    """One `expect` or `call`. Its RPCs (one, unless it repeats) are instances of Rpc."""

    def __init__(self, play_id, spec, payloads, report, send_event, fault) -> None:
        self.id: int = play_id
        self.spec: pb.Play = spec
        self.payloads: dict[int, bytes] = payloads
        self.fault = fault
        self.keys = fault.keys(list(spec.report_metadata))
        self.send_event: Callable[[pb.Event], None] = send_event
        self.changed = threading.Condition()
        self.frozen = False
        self.signals: Counter[str] = Counter()
        self.kind, self.request, self.response = greeter.METHODS[spec.method]
        self.first: Rpc | None = None
        self.rpcs: list[Rpc] = []
        self._report = report
        self._reported = False
        self._started = 0
        self._observed: Counter[tuple[bytes, ...]] = Counter()
        self._finished = 0
        self._begin_ns = 0
        self._began_us = 0
        self._came_us = time.time_ns() // 1000

    @property
    def elapsed_ns(self) -> int:
        return time.monotonic_ns() - self._begin_ns if self._begin_ns else 0

    @property
    def times(self) -> int:
        return self.spec.repeat or 1

    def begin(self, rpc: "Rpc") -> None:
        with self.changed:
            self._begin_ns = self._begin_ns or time.monotonic_ns()
            self._began_us = self._began_us or time.time_ns() // 1000
            self._started += 1
            self.first = self.first or rpc
            self.rpcs.append(rpc)

    def used_up(self) -> bool:
        return self._started >= self.times

    def finished(self, rpc: "Rpc") -> None:
        """One RPC is over; after the last one the play is reported."""
        with self.changed:
            assert self.first is not None
            self._finished += 1
            self._observed[rpc.observations()] += 1
            self.rpcs.remove(rpc)
            if self._finished == self.times:
                self._report_once(aborted=False)

    def abort(self, if_not_arrived: bool) -> None:
        """Freezes at first, ends the RPCs at the second time."""
        with self.changed:
            if if_not_arrived and self.first is not None:
                return
            again, self.frozen = self.frozen, True
            self._report_once(aborted=not if_not_arrived)
            self.changed.notify_all()
            rpcs = list(self.rpcs)
        if again:
            for rpc in rpcs:
                rpc.end()

    def signalled(self, name: str) -> None:
        with self.changed:
            self.signals[name] += 1
            self.changed.notify_all()

    def _report_once(self, *, aborted: bool) -> None:
        if self._reported:
            return
        self._reported = True
        transcript = self.first.transcript() if self.first else pb.Transcript(arrived=False)
        while len(transcript.lanes) < len(self.spec.lanes):
            transcript.lanes.add()
        transcript.aborted = aborted
        transcript.completed = self._observed[self.first.observations()] if self.first else 0
        transcript.elapsed_ns = self.elapsed_ns
        if self.spec.report_times:
            transcript.began_us = self._began_us or self._came_us
            if not self._began_us:
                transcript.elapsed_ns = time.time_ns() - self._came_us * 1000
        self._report(self, transcript)


class Rpc:
    """One side of one RPC. Subclasses play the steps that differ."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.seen = [pb.Seen() for _ in play.spec.lanes]
        self.over = threading.Event()
        self.ended = False
        self.running = len(self.seen)
        play.begin(self)

    # -- to be said by each side ---------------------------------------------------------------------------------------

    def step(self, lane: int, kind: str, step: pb.Step) -> None:
        """Plays a step that only this side has."""
        raise NotImplementedError

    def next_message(self, lane: int) -> bytes | None:
        """The next message; None when there is no more, after having observed why."""
        raise NotImplementedError

    def end(self) -> None:
        """Ends the RPC from this side."""
        raise NotImplementedError

    def transcript(self) -> pb.Transcript:
        raise NotImplementedError

    # -- common to both ------------------------------------------------------------------------------------------------

    def observations(self) -> tuple[bytes, ...]:
        return tuple(b"".join(one.SerializeToString() for one in seen.observed) for seen in self.seen)

    def run_lanes(self, after: Callable[[], None]) -> None:
        """Plays all lanes, this thread the first; calls `after` when all are done."""
        self.play.fault.on_rpc()
        others = [threading.Thread(target=self._lane, args=(index,), daemon=True) for index in range(1, len(self.seen))]
        for thread in others:
            thread.start()
        if self.seen:
            self._lane(0)
        for thread in others:
            thread.join()
        if not self.play.frozen:
            after()

    def _lane(self, index: int) -> None:
        try:
            for step in self.play.spec.lanes[index].steps:
                self._step(index, step)
                if self.play.frozen:
                    return
                self.seen[index].steps_done += 1
                if self.play.spec.report_times:
                    self.seen[index].done_us.append(self.play.elapsed_ns // 1000)
        finally:
            with self.play.changed:
                self.running -= 1
                self.play.changed.notify_all()

    def _step(self, lane: int, step: pb.Step) -> None:
        kind = step.WhichOneof("kind")
        if kind == "receive":
            self._receive(lane)
        elif kind == "receive_to_end":
            while self._receive(lane):
                pass
        elif kind == "signal":
            self.play.send_event(pb.Event(id=self.play.id, signal=pb.Signal(play=self.play.id, name=step.signal)))
        elif kind == "wait_for":
            self._wait_for(step.wait_for)
        else:
            self.step(lane, kind, step)

    def _receive(self, lane: int) -> bool:
        if self.ended or self.play.frozen:
            return False
        message = self.next_message(lane)
        if message is None:
            return False
        type_name = self.play.request if self.is_server else self.play.response
        parsed = greeter.parse(type_name, message)
        shown = greeter.show(parsed, json=self.play.spec.report_json, view=self.play.spec.report_view)
        self.observe(lane, pb.Observation(message=shown))
        return True

    is_server = False

    def observe(self, lane: int, what: pb.Observation) -> None:
        with self.play.changed:
            if not self.play.frozen:
                self.seen[lane].observed.append(what)

    def _wait_for(self, name: str) -> None:
        play = self.play
        if not play.fault.awaits_signals:
            return
        with play.changed:
            play.changed.wait_for(lambda: play.signals[name] or self.over.is_set() or play.frozen)
            if play.signals[name]:
                play.signals[name] -= 1

    def now_over(self) -> None:
        self.over.set()
        with self.play.changed:
            self.play.changed.notify_all()


def entries(metadata, also) -> list[pb.Entry]:
    """Return what is reported of gRPC's metadata: the harness' own keys, and `also` those."""
    return [
        pb.Entry(key=key, value=value if isinstance(value, bytes) else value.encode("latin-1"))
        for key, value in metadata or ()
        if (key.startswith(METADATA_PREFIX) and key != CASE_KEY) or key in also
    ]


def metadata(found) -> list[tuple[str, str | bytes]]:
    """Entries as grpcio takes them."""
    return [(one.key, one.value if one.key.endswith("-bin") else one.value.decode("latin-1")) for one in found]
