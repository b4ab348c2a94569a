"""The client's side of a play."""

import queue
import threading

import grpc
from play import CASE_KEY, END, Play, Rpc, entries, metadata

from grpc_interop.drivers import driver_pb2 as pb

HALF_CLOSE = object()
DETAILS_KEY = "grpc-status-details-bin"


def play_call(play: Play, channel: grpc.Channel) -> None:
    """Makes the call, or as many as `repeat` says."""
    turns: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(play.times):
        turns.put(None)

    def work() -> None:
        while not play.frozen:
            try:
                turns.get_nowait()
            except queue.Empty:
                return
            ClientRpc(play, channel).run()

    workers = [threading.Thread(target=work, daemon=True) for _ in range((play.spec.concurrency or 1) - 1)]
    for worker in workers:
        worker.start()
    work()


class ClientRpc(Rpc):
    """One call."""

    def __init__(self, play: Play, channel: grpc.Channel) -> None:
        super().__init__(play)
        self.call: grpc.Call | None = None
        self._multi = getattr(channel, play.kind)(play.spec.method)
        self._requests: queue.SimpleQueue = queue.SimpleQueue()
        self._answered = False
        if play.kind.startswith("stream"):
            self._start(play.fault.requests(iter(self._requests.get, HALF_CLOSE)))

    def run(self) -> None:
        try:
            self.run_lanes(self._settle)
        finally:
            self._requests.put(HALF_CLOSE)

    def _start(self, request) -> None:
        spec = self.play.spec
        how = {
            "timeout": self.play.fault.timeout(spec.timeout_us / 1e6 if spec.HasField("timeout_us") else None),
            "metadata": [(CASE_KEY, str(self.play.id)), *self.play.fault.metadata(metadata(spec.metadata))],
            "compression": grpc.Compression.Gzip if spec.compression == "gzip" else None,
        }
        begin = self._multi.future if self.play.kind.endswith("unary") else self._multi
        self.call = begin(request, **how)
        if not self.call.add_callback(self.now_over):
            self.now_over()

    def _settle(self) -> None:
        if self.call is not None:
            self.call.code()  # waits until the RPC has ended
        self.play.finished(self)

    def step(self, lane: int, kind: str, step: pb.Step) -> None:
        if kind == "send":
            message = self.play.payloads[step.send]
            if self.play.kind.startswith("unary"):
                self._start(message)
            else:
                self._requests.put(message)
        elif kind == "half_close":
            self._requests.put(HALF_CLOSE)
        elif kind == "cancel":
            self.play.fault.cancelling(lambda: self._requests.put(HALF_CLOSE))
            self.call.cancel()
        elif kind == "receive_headers" and self.play.fault.awaits_headers:
            self.call.initial_metadata()

    def next_message(self, lane: int) -> bytes | None:
        message = self._single() if self.play.kind.endswith("unary") else self._streamed()
        if message is None:
            self.ended = True
            self.observe(lane, END)
        return message

    def _single(self) -> bytes | None:
        if self._answered:
            return None
        self._answered = True
        try:
            return self.call.result()
        except (grpc.RpcError, grpc.FutureCancelledError):
            return None

    def _streamed(self) -> bytes | None:
        try:
            return next(self.call, None)
        except grpc.RpcError:
            return None

    def end(self) -> None:
        if self.call is not None:
            self.call.cancel()

    def transcript(self) -> pb.Transcript:
        transcript = pb.Transcript(arrived=True, lanes=self.seen)
        if self.call is not None and self.call.done():
            trailing = self.call.trailing_metadata()
            details = next((value for key, value in trailing or () if key == DETAILS_KEY), b"")
            seen = self.play.fault.seen_metadata
            transcript.initial.extend(seen(entries(self.call.initial_metadata(), self.play.keys)))
            code = self.call.code().value[0]
            trailers = seen(entries(trailing, self.play.keys))
            status = pb.Status(code=code, message=self.call.details() or "", details=details, trailers=trailers)
            transcript.status.CopyFrom(status)
        return transcript
