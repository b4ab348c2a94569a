"""The observations of one side, recorded while it plays and reported once. All kinds of plays share this."""

import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, Protocol

import grpc
from google.protobuf.message import Message

from driver.contract import pb
from driver.messages import UnreadableError, json_of, report_into
from driver.metadata import DETAILS, Metadata, entries, reported, value_of
from driver.methods import METHODS
from driver.script import Script

# Markers between the messages in a lane's observations.
END: Final = "end"
TERMINATED: Final = "terminated"


class PlaySignals(Protocol):
    """The signals that a play has received and not yet taken. Each API has its own way to wait for them."""

    def deliver(self, name: str) -> None:
        """Add a signal that arrived."""

    def wake(self) -> None:
        """Make all who wait check again whether their signal can still come."""


class Recording:
    """The observations of one playing of a script so far."""

    __slots__ = (
        "_also",
        "_begun_ns",
        "arrived",
        "began_us",
        "done_us",
        "initial",
        "lanes",
        "remaining_us",
        "request",
        "status",
        "steps_done",
    )

    def __init__(self, script: Script, arrived: bool) -> None:
        self.lanes: list[list[Any]] = [[] for _ in script.lanes]
        self.steps_done = [0] * len(script.lanes)
        self.done_us: list[list[int]] | None = [[] for _ in script.lanes] if script.report_times else None
        self._begun_ns = time.perf_counter_ns() if script.report_times else 0
        self._also = script.report_metadata
        self.began_us = time.time_ns() // 1000 if script.report_times else 0
        self.arrived = arrived
        self.request: list[tuple[str, bytes]] = []
        self.remaining_us: int | None = None
        self.initial: list[tuple[str, bytes]] = []
        self.status: pb.Status | None = None

    def done(self, lane: int) -> None:
        """Count a step of the lane as done."""
        self.steps_done[lane] += 1
        if self.done_us is not None:
            self.done_us[lane].append((time.perf_counter_ns() - self._begun_ns) // 1000)

    def called_with(self, metadata: Metadata, remaining_us: int | None) -> None:
        """Record what a server knows when it is called."""
        self.request = reported(metadata, self._also)
        self.remaining_us = remaining_us

    def ended(self, code: grpc.StatusCode, details: str | None, trailing: Metadata, initial: Metadata) -> None:
        """Record how the RPC ended for a client."""
        self.status = pb.Status(code=code.value[0], trailers=entries(reported(trailing, self._also)))
        if code is not grpc.StatusCode.OK:
            self.status.message = details or ""
            self.status.details = value_of(trailing, DETAILS) or b""
        self.initial = reported(initial, self._also)

    def fingerprint(self) -> tuple[object, ...]:
        """Equal for playings that observed the same; the deadline that remained is left out, for it always differs."""
        lanes = tuple(
            tuple(one if isinstance(one, str) else METHODS.SerializePartialToString(one, deterministic=True) for one in lane)
            for lane in self.lanes
        )
        status = self.status and self.status.SerializeToString(deterministic=True)
        return lanes, self.arrived, tuple(self.request), tuple(self.initial), status


class Play:
    """One Play command: its script, how often it was played, and its one transcript.

    `done` is called with the transcript event, from any thread, exactly once.
    """

    # Whether the play counts as arrived before it has begun. By the contract, a client's play does.
    always_arrived = False

    def __init__(self, play_id: int, script: Script, done: "Callable[[Play, pb.Event], None]", signals: PlaySignals) -> None:
        self.id = play_id
        self.script = script
        self.frozen = False
        self.signals = signals
        self._done = done
        self._lock = threading.Lock()
        self._reported = False
        self._first: Recording | None = None
        self._fingerprint: tuple[object, ...] | None = None
        self._finished = 0
        self._equal = 0
        self._started_ns = 0
        # When the script came, for a call that never comes.
        self._came_us, self._came_ns = time.time_ns() // 1000, time.perf_counter_ns()

    def begin(self) -> Recording:
        """Return a recording for the next playing of the script."""
        recording = Recording(self.script, arrived=True)
        with self._lock:
            if self._first is None:
                self._first = recording
                self._started_ns = time.perf_counter_ns()
        return recording

    def finish(self, recording: Recording) -> None:
        """Take the observations of a playing; the last playing makes the play report."""
        if self.script.repeat > 1:
            fingerprint = recording.fingerprint()
            with self._lock:
                if self._fingerprint is None:
                    self._fingerprint, self._first = fingerprint, recording
                self._finished += 1
                self._equal += fingerprint == self._fingerprint
                if self._finished < self.script.repeat:
                    return
        else:
            self._equal = 1
        self._report(aborted=False)

    def freeze(self) -> None:
        """Carry out the first Abort: do no further step, and report the transcript as it stands."""
        self.frozen = True
        self.signals.wake()
        self._report(aborted=True)

    def withdraw(self) -> None:
        """Report that the call never arrived."""
        self._report(aborted=False)

    def fail(self, error: Exception) -> None:
        """Report an error of the driver in place of the transcript."""
        traceback.print_exception(error)
        if self._may_report():
            text = f"the driver failed while it played {self.script.method}: {type(error).__name__}: {error}"
            self._done(self, pb.Event(id=self.id, error=pb.Error(kind=pb.Error.KIND_INTERNAL, text=text)))
        self.frozen = True

    def _report(self, aborted: bool) -> None:
        if self._may_report():
            event = pb.Event(id=self.id)
            self._write(event.transcript, self._first or Recording(self.script, self.always_arrived), aborted)
            self._done(self, event)

    def _may_report(self) -> bool:
        """Return True the first time, then False."""
        with self._lock:
            first, self._reported = not self._reported, True
        return first

    def _write(self, transcript: pb.Transcript, recording: Recording, aborted: bool) -> None:
        transcript.arrived = recording.arrived
        transcript.request.extend(entries(recording.request))
        transcript.initial.extend(entries(recording.initial))
        if recording.remaining_us is not None:
            transcript.remaining_us = recording.remaining_us
        if recording.status is not None:
            transcript.status.CopyFrom(recording.status)
        transcript.aborted = aborted
        transcript.completed = self._equal
        if self._started_ns:
            transcript.elapsed_ns = time.perf_counter_ns() - self._started_ns
            transcript.began_us = recording.began_us
        elif self.script.report_times:
            transcript.elapsed_ns = time.perf_counter_ns() - self._came_ns
            transcript.began_us = self._came_us
        for lane, observed in enumerate(recording.lanes):
            seen = transcript.lanes.add(steps_done=recording.steps_done[lane])
            if recording.done_us is not None:
                seen.done_us.extend(recording.done_us[lane][: seen.steps_done])
            self._write_lane(seen, tuple(observed))

    def _write_lane(self, seen: pb.Seen, observed: tuple[Any, ...]) -> None:
        for one in observed:
            observation = seen.observed.add()
            if one is END:
                observation.end.SetInParent()
            elif one is TERMINATED:
                observation.terminated.SetInParent()
            else:
                self._write_message(observation.message, one)

    def _write_message(self, target: pb.Message, message: Message) -> None:
        report_into(target, message, self.script.report_view)
        if self.script.report_json:
            try:
                target.json = json_of(message)
            except UnreadableError as error:  # an empty `json` says it: no message is written like that
                print(f"play {self.id}: {error}", file=sys.stderr)
