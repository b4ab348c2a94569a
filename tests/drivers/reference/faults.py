"""What can be wrong with this driver, chosen by REFERENCE_FAULT: one small class a fault, told apart by when it acts.

REFERENCE_FAULT is a class' name in snake case; REFERENCE_METHOD limits it to one method, REFERENCE_PLAY to the n-th
play (from 1).
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from grpc_interop.drivers import driver_pb2 as pb

FLOOD_BYTES = 100 * 1024 * 1024
HUGE_FRAME_BYTES = 2 * 1024 * 1024
YEAR_US = 365 * 24 * 3600 * 1_000_000


class Fault:
    """No fault: every hook does nothing."""

    claims: frozenset[str] = frozenset()
    """Capabilities that Hello adds."""

    accepts: frozenset[str] = frozenset()
    """Capabilities that commands may require, too."""

    awaits_headers = True
    """Whether the client's `receive_headers` waits."""

    awaits_signals = True
    """Whether `wait_for` waits."""

    def at_start(self) -> None:
        """Before the driver connects."""

    def after_connecting(self) -> None:
        """Before Hello."""

    def after_hello(self, sock: socket.socket) -> None:
        """When Hello is on its way, before anything is read."""

    def on_command(self) -> None:
        """When a play's command was read, on the thread that reads."""

    def on_rpc(self) -> None:
        """When an RPC of a play begins, on its own thread."""

    def on_transcode(self, data: bytes) -> None:
        """When a message to be read and written again has come, on the thread that reads."""

    def transcoded(self, answer: pb.Message) -> pb.Message:
        """What is answered to that."""
        return answer

    def refusal(self, serve: pb.Serve) -> str:
        """Why the driver does not serve; empty if it does."""
        return ""

    def served(self, serve: pb.Serve, send: Callable[[], None]) -> None:
        """When a server is ready; `send` says so."""
        send()

    def version(self, contract: int) -> int:
        """The version of the contract that Hello tells."""
        return contract

    def request(self, message: bytes | None) -> bytes | None:
        """What the server's script gets for the client's next message; None is the end."""
        return message

    def answers(self, answers: Iterator[bytes]) -> Iterator[bytes]:
        """What the server sends for what its script sends."""
        return answers

    def requests(self, requests: Iterator[bytes]) -> Iterator[bytes]:
        """What the client sends of a stream for what its script sends."""
        return requests

    def timeout(self, seconds: float | None) -> float | None:
        """The deadline that the client gives its call."""
        return seconds

    def metadata(self, entries: list[tuple[str, str | bytes]]) -> list[tuple[str, str | bytes]]:
        """The metadata that the client gives its call, without the case id."""
        return entries

    def keys(self, asked: list[str]) -> list[str]:
        """Which keys of metadata are reported beside the harness' own."""
        return asked

    def seen_metadata(self, entries: list[pb.Entry]) -> list[pb.Entry]:
        """What a side reports of the metadata that it got."""
        return entries

    def cancelling(self, half_close: Callable[[], None]) -> None:
        """Right before the client cancels."""

    def status(self, status: pb.Status) -> pb.Status:
        """How the server ends."""
        return status

    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        """Instead of reporting a play."""
        send()


# -- the process -------------------------------------------------------------------------------------------------------


class DiesAtStart(Fault):
    def at_start(self) -> None:
        print("no such library: libreference.so", file=sys.stderr, flush=True)
        os._exit(3)


class DiesAtTheNextStart(Fault):
    """The first process dies in its first RPC, the second while it starts; later ones are healthy. Processes are counted in
    the file REFERENCE_STARTS."""

    def at_start(self) -> None:
        with Path(os.environ["REFERENCE_STARTS"]).open("a") as file:
            file.write("x")
        if self._starts() == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_rpc(self) -> None:
        if self._starts() == 1:
            os._exit(7)

    def _starts(self) -> int:
        return len(Path(os.environ["REFERENCE_STARTS"]).read_text())


class NeverConnects(Fault):
    def at_start(self) -> None:
        time.sleep(3600)


class SaysNothing(Fault):
    def after_connecting(self) -> None:
        time.sleep(3600)


class LeavesAChildBehind(Fault):
    """The child's pid is the first line of the log."""

    def at_start(self) -> None:
        child = subprocess.Popen(["sleep", "3600"])
        print(child.pid, flush=True)

    def on_rpc(self) -> None:
        os._exit(7)


class FloodsStderr(Fault):
    def on_rpc(self) -> None:
        line = b"a warning that is printed once too often\n" * 1024
        for _ in range(FLOOD_BYTES // len(line)):
            os.write(2, line)


class PrintsToStdout(Fault):
    def on_rpc(self) -> None:
        os.write(1, b"\x05hello from a stray print\n")


class Exits(Fault):
    def on_rpc(self) -> None:
        print("giving up", file=sys.stderr, flush=True)
        os._exit(7)


class Crashes(Fault):
    def on_rpc(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class StopsItself(Fault):
    def on_rpc(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


class StopsForAWhile(Fault):
    """The whole process stands still, as on a machine that has no time for it."""

    def on_command(self) -> None:
        subprocess.Popen(["/bin/sh", "-c", f"sleep 1.5; kill -CONT {os.getpid()}"])
        os.kill(os.getpid(), signal.SIGSTOP)


class IsSlow(Fault):
    """Slower than the tests' patience with a case."""

    def on_rpc(self) -> None:
        time.sleep(3.0)


class Hangs(Fault):
    """One RPC hangs, the driver does not."""

    def on_rpc(self) -> None:
        print("hangs", flush=True)
        threading.Event().wait()


# -- the connection ----------------------------------------------------------------------------------------------------


class SpeaksAnotherVersion(Fault):
    def refusal(self, serve: pb.Serve) -> str:
        """Why the driver does not serve; empty if it does."""
        return ""

    def served(self, serve: pb.Serve, send: Callable[[], None]) -> None:
        """When a server is ready; `send` says so."""
        send()

    def version(self, contract: int) -> int:
        return contract + 1


class SaysGarbage(Fault):
    def after_hello(self, sock: socket.socket) -> None:
        time.sleep(0.1)
        sock.sendall(b"\x10Traceback (most r")


class SendsAHugeFrame(Fault):
    def after_hello(self, sock: socket.socket) -> None:
        time.sleep(0.1)
        sock.sendall(b"\x80\x80\x80\x01" + bytes(HUGE_FRAME_BYTES))


class StopsReading(Fault):
    def on_command(self) -> None:
        threading.Event().wait()


class ReportsTwice(Fault):
    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        send()
        send()


class NeverReports(Fault):
    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        pass


class CountsOneLess(Fault):
    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        transcript.completed -= 1
        send()


class CountsOneMore(Fault):
    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        transcript.completed += 1
        send()


class ClaimsKeepalive(Fault):
    claims = frozenset({"keepalive"})


class TakesKeepaliveAndDoesNothing(Fault):
    claims = accepts = frozenset({"keepalive"})


class TakesServiceConfigsAndDoesNothing(Fault):
    claims = accepts = frozenset({"service_config"})


class EndsBeforeTheServiceConfigSays(Fault):
    claims = accepts = frozenset({"service_config"})

    def timeout(self, seconds: float | None) -> float | None:
        return 1.0


class LeavesNoTimeWithServiceConfigs(Fault):
    claims = accepts = frozenset({"service_config"})

    def timeout(self, seconds: float | None) -> float | None:
        return 1e-6


LATE_SECONDS = 2.0


class RefusesLimits(Fault):
    def refusal(self, serve: pb.Serve) -> str:
        return "out of limits" if serve.options.HasField("max_receive_bytes") else ""


class ServesLimitsLate(Fault):
    def served(self, serve: pb.Serve, send: Callable[[], None]) -> None:
        if serve.options.HasField("max_receive_bytes"):
            threading.Timer(LATE_SECONDS, send).start()
        else:
            send()


# -- messages without an RPC -------------------------------------------------------------------------------------------

A_TEXT = b"null"
"""One of the texts that the `messages` suite tries."""


class DiesOfAText(Fault):
    def on_transcode(self, data: bytes) -> None:
        if A_TEXT in data:
            os._exit(7)


class HangsOnAText(Fault):
    def on_transcode(self, data: bytes) -> None:
        if A_TEXT in data:
            threading.Event().wait()


class ChangesAText(Fault):
    def transcoded(self, answer: pb.Message) -> pb.Message:
        answer.binary = answer.binary.replace(A_TEXT, A_TEXT.upper())
        return answer


class ShowsAnotherText(Fault):
    def transcoded(self, answer: pb.Message) -> pb.Message:
        for field in answer.view.fields:
            for value in field.values:
                value.text = value.text.replace(A_TEXT, b"")
        return answer


class LosesUnknownFields(Fault):
    def transcoded(self, answer: pb.Message) -> pb.Message:
        # HelloRequest has one field, number 1: what begins with another tag is unknown.
        answer.binary = answer.binary if answer.binary.startswith(b"\x0a") else b""
        answer.view.unknown = b""
        return answer


class WritesOtherJson(Fault):
    def transcoded(self, answer: pb.Message) -> pb.Message:
        answer.json = answer.json.replace("null", "nil")
        return answer


# -- the RPC -----------------------------------------------------------------------------------------------------------


class DropsTheLastMessage(Fault):
    def answers(self, answers: Iterator[bytes]) -> Iterator[bytes]:
        held = next(answers, None)
        for answer in answers:
            yield held
            held = answer


class AnswersBeforeTheEnd(Fault):
    """The server takes the client's second message for the end."""

    def __init__(self) -> None:
        self._taken = 0

    def request(self, message: bytes | None) -> bytes | None:
        self._taken += 1
        return message if self._taken == 1 else None


class Buffers(Fault):
    def answers(self, answers: Iterator[bytes]) -> Iterator[bytes]:
        return iter(list(answers))


class SwapsTwoMessages(Fault):
    def answers(self, answers: Iterator[bytes]) -> Iterator[bytes]:
        for first in answers:
            second = next(answers, None)
            if second is not None:
                yield second
            yield first


class ChangesATrailer(Fault):
    def status(self, status: pb.Status) -> pb.Status:
        for entry in status.trailers[:1]:
            entry.value += b"x"
        return status


class EndsWithAnotherCode(Fault):
    def status(self, status: pb.Status) -> pb.Status:
        status.code = 13
        return status


class TellsNoTimes(Fault):
    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        for lane in transcript.lanes:
            del lane.done_us[:]
        send()


class HidesTheDeadline(Fault):
    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        transcript.ClearField("remaining_us")
        send()


class HidesDeadlinesOfYears(Fault):
    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        if transcript.remaining_us > YEAR_US:
            transcript.ClearField("remaining_us")
        send()


# -- the RPC, at the client --------------------------------------------------------------------------------------------


class DropsTheLastRequest(Fault):
    def requests(self, requests: Iterator[bytes]) -> Iterator[bytes]:
        held = next(requests, None)
        for request in requests:
            yield held
            held = request


class HalfClosesAfterTheFirst(Fault):
    def requests(self, requests: Iterator[bytes]) -> Iterator[bytes]:
        return islice(requests, 1)


class BuffersRequests(Fault):
    def requests(self, requests: Iterator[bytes]) -> Iterator[bytes]:
        yield from list(requests)


class SwapsTwoRequests(Fault):
    def requests(self, requests: Iterator[bytes]) -> Iterator[bytes]:
        for first in requests:
            second = next(requests, None)
            if second is not None:
                yield second
            yield first


class HalvesTheDeadline(Fault):
    def timeout(self, seconds: float | None) -> float | None:
        return seconds and seconds / 2


class SendsNoDeadline(Fault):
    def timeout(self, seconds: float | None) -> float | None:
        return None


class JoinsMetadata(Fault):
    """As Node's runtime does."""

    def seen_metadata(self, entries: list[pb.Entry]) -> list[pb.Entry]:
        joined: dict[str, pb.Entry] = {}
        for number, entry in enumerate(self.chosen(entries)):
            text = not entry.key.endswith("-bin")
            held = joined.setdefault(entry.key if text else str(number), pb.Entry(key=entry.key))
            held.value = held.value + b", " + entry.value if text and held.value else entry.value
        return list(joined.values())

    def chosen(self, entries: list[pb.Entry]) -> list[pb.Entry]:
        return entries


class JoinsMetadataAndSaysSo(JoinsMetadata):
    claims = frozenset({"joins_metadata"})


class JoinsMetadataBackwards(JoinsMetadataAndSaysSo):
    def chosen(self, entries: list[pb.Entry]) -> list[pb.Entry]:
        return entries[::-1]


class JoinsMetadataButTheLast(JoinsMetadataAndSaysSo):
    def chosen(self, entries: list[pb.Entry]) -> list[pb.Entry]:
        last = {entry.key: number for number, entry in enumerate(entries)}
        counts = {entry.key: sum(one.key == entry.key for one in entries) for entry in entries}
        return [entry for number, entry in enumerate(entries) if counts[entry.key] == 1 or last[entry.key] != number]


class EnforcesNoDeadline(Fault):
    """The server is told of the deadline, and nothing at the client ends the call when it is over."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def timeout(self, seconds: float | None) -> float | None:
        self._seconds = seconds
        return None

    def metadata(self, entries: list[tuple[str, str | bytes]]) -> list[tuple[str, str | bytes]]:
        return entries if self._seconds is None else [*entries, ("grpc-timeout", f"{self._seconds * 1e3:.0f}m")]


class CancelHalfCloses(Fault):
    def cancelling(self, half_close: Callable[[], None]) -> None:
        half_close()
        time.sleep(0.1)  # it leaves on another thread


class AwaitsNoHeaders(Fault):
    awaits_headers = False


class AwaitsNoSignals(Fault):
    awaits_signals = False


class ReportsNoOtherKeys(Fault):
    def keys(self, asked: list[str]) -> list[str]:
        return []


class ReportsKeysUnasked(Fault):
    def keys(self, asked: list[str]) -> list[str]:
        return [*asked, "traceparent"]


class LosesEmptyValues(Fault):
    def metadata(self, entries: list[tuple[str, str | bytes]]) -> list[tuple[str, str | bytes]]:
        return [(key, value) for key, value in entries if value]


class LosesItsMetadata(Fault):
    def metadata(self, entries: list[tuple[str, str | bytes]]) -> list[tuple[str, str | bytes]]:
        return entries[1:]


class TellsAnotherCode(Fault):
    def report(self, transcript: pb.Transcript, send: Callable[[], None]) -> None:
        if transcript.HasField("status"):
            transcript.status.code = 13
        send()


def _all_of(kind: type[Fault]) -> Iterator[type[Fault]]:
    for fault in kind.__subclasses__():
        yield fault
        yield from _all_of(fault)


_FAULTS = {re.sub(r"(?<!^)(?=[A-Z])", "_", fault.__name__).lower(): fault for fault in _all_of(Fault)}


def of_process() -> Fault:
    """The fault that the environment asks for."""
    name = os.environ.get("REFERENCE_FAULT", "")
    return _FAULTS[name]() if name else Fault()


def of_play(method: str, number: int) -> Fault:
    """The fault of one play: none where the environment limits it to others."""
    only_method, only_play = os.environ.get("REFERENCE_METHOD", ""), os.environ.get("REFERENCE_PLAY", "")
    applies = only_method in ("", method.rsplit("/", 1)[1]) and only_play in ("", str(number))
    return of_process() if applies else Fault()
