"""The server's side: which script serves a call, and how it is played."""

import queue
import threading
from collections import defaultdict, deque

import greeter
import grpc
from play import CASE_KEY, END, TERMINATED, Play, Rpc, entries, metadata

from grpc_interop.drivers import driver_pb2 as pb

CODES = {code.value[0]: code for code in grpc.StatusCode}
NO_DEADLINE_SECONDS = 1e12
"""What `time_remaining` exceeds when there is no deadline; the longest deadline, 99999999 hours, is below it."""

OVER = object()


class Registry:
    """The scripts of one server. Calls that come before theirs wait here."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._by_id: dict[int, Play] = {}
        self._next_callers: defaultdict[str, deque[Play]] = defaultdict(deque)

    def expect(self, play: Play) -> None:
        with self._changed:
            if play.spec.any_caller:
                self._next_callers[play.spec.method].append(play)
            else:
                self._by_id[play.id] = play
            self._changed.notify_all()

    def script(self, method: str, context: grpc.ServicerContext) -> "ServerRpc | None":
        """The RPC that plays the call's script; None for a call that has no id and finds no script."""
        case = dict(context.invocation_metadata()).get(CASE_KEY)
        with self._changed:
            if case is None:
                waiting = self._next_callers[method]
                while waiting:
                    play = waiting.popleft()
                    if not play.frozen:
                        return ServerRpc(play, context)
                return None
            self._changed.wait_for(lambda: self._ready(int(case)))
            play = self._by_id[int(case)]
            rpc = ServerRpc(play, context)
            if play.used_up():
                del self._by_id[play.id]
            return rpc

    def _ready(self, case: int) -> bool:
        play = self._by_id.get(case)
        return play is not None and not play.frozen


def handlers(registry: Registry) -> tuple[grpc.GenericRpcHandler]:
    """All methods of greeter.v1."""
    table = {}
    for method, (kind, _, _) in greeter.METHODS.items():
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        table[method.rsplit("/", 1)[1]] = make(_behaviour(registry, method, kind))
    return (grpc.method_handlers_generic_handler("greeter.v1.Greeter", table),)


def _behaviour(registry: Registry, method: str, kind: str):
    def stream(request, context):
        rpc = registry.script(method, context)
        if rpc is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no script waits for this call")
        yield from rpc.serve(iter([request]) if kind.startswith("unary") else request)

    def single(request, context):
        return next(stream(request, context), None)

    return stream if kind.endswith("stream") else single


class ServerRpc(Rpc):
    """One call that arrived. The lanes run on threads of their own; the handler's thread writes what they send."""

    is_server = True

    def __init__(self, play: Play, context: grpc.ServicerContext) -> None:
        super().__init__(play)
        self.context = context
        remaining = context.time_remaining()
        self._remaining_us = None if remaining is None or remaining > NO_DEADLINE_SECONDS else max(0, int(remaining * 1e6))
        self._request = play.fault.seen_metadata(entries(context.invocation_metadata(), play.keys))
        self._answers: queue.SimpleQueue = queue.SimpleQueue()
        self._status: pb.Status | None = None
        self._taken = False
        if not context.add_callback(self._on_over):
            self._on_over()

    def serve(self, requests):
        self._requests = requests
        threading.Thread(target=self.run_lanes, args=(lambda: self.play.finished(self),), daemon=True).start()
        fault = self.play.fault
        answers = fault.answers(iter(self._answers.get, OVER))
        if not self.play.kind.endswith("unary"):
            yield from answers
            self._conclude()
            return
        sent = list(answers)
        self._conclude()
        yield from sent

    def _conclude(self) -> None:
        """Ends the RPC as the script says; without a status it was ended from outside."""
        if self._status is None:
            self.context.abort(grpc.StatusCode.CANCELLED, "ended from outside")
        status = self.play.fault.status(self._status)
        trailing = metadata(status.trailers)
        if status.details:
            trailing.append(("grpc-status-details-bin", status.details))
        self.context.set_trailing_metadata(trailing)
        if status.code:
            self.context.abort(CODES[status.code], status.message)

    def _on_over(self) -> None:
        self.now_over()
        self._answers.put(OVER)

    def step(self, lane: int, kind: str, step: pb.Step) -> None:
        if kind == "send":
            self._answers.put(self.play.payloads[step.send])
        elif kind == "send_headers":
            self.context.send_initial_metadata(metadata(step.send_headers.entries))
        elif kind == "finish":
            with self.play.changed:
                self.play.changed.wait_for(lambda: self.running == 1 or self.play.frozen)
                if self.play.frozen:
                    return
            self._status = step.finish
            self._answers.put(OVER)
        elif kind == "wait_for_termination":
            self._wait_for_termination(lane)

    def next_message(self, lane: int) -> bytes | None:
        if self.play.kind.startswith("unary") and self._taken:
            self._wait_for_termination(lane)
            return None
        self._taken = True
        try:
            message = self.play.fault.request(next(self._requests, None))
        except Exception:  # noqa: BLE001  grpcio raises a bare Exception when the RPC was ended from outside
            self._terminated(lane)
            return None
        if message is None:
            self.ended = True
            self.observe(lane, END)
        return message

    def _wait_for_termination(self, lane: int) -> None:
        with self.play.changed:
            self.play.changed.wait_for(lambda: self.over.is_set() or self.play.frozen)
        self._terminated(lane)

    def _terminated(self, lane: int) -> None:
        self.ended = True
        if TERMINATED not in self.seen[lane].observed:
            self.observe(lane, TERMINATED)

    def end(self) -> None:
        self.context.cancel()

    def transcript(self) -> pb.Transcript:
        return pb.Transcript(arrived=True, lanes=self.seen, request=self._request, remaining_us=self._remaining_us)
