"""An exchange as people read it: the message sent, the message received, and both sides' transcripts."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from grpc_interop.compat.play.interpreter import ExchangeRecord
from grpc_interop.compat.play.playing import Call, PlayedCall
from grpc_interop.compat.probes.plan import AbsentRpcProbe, MessageProbe, RpcProbe
from grpc_interop.compat.vocabulary.observation import Format, Version
from grpc_interop.compat.vocabulary.result import ExchangeExample, TranscriptRow
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Refused, Written
from grpc_interop.core.transcript import View
from grpc_interop.core.verdict import CODES
from grpc_interop.wire.meaning import Meaning, show_message
from grpc_interop.wire.shapes import Shape, Shapes
from grpc_interop.wire.view import NotAViewError, read_view


class Illustrator:
    """Makes examples of recorded exchanges, in the words of two versions' protos."""

    def __init__(self, shapes: Mapping[Version, Shapes]) -> None:
        self._shapes = shapes

    def example(self, record: ExchangeRecord, replay: str) -> ExchangeExample:
        """Return the example of a record; `replay` is the argument of `interop replay`."""
        planned, pair = record.planned, record.order.pair
        if isinstance(planned, MessageProbe):
            left, right, rows = f"writer {pair.client}", f"reader {pair.server}", self._read(planned, record)
        else:
            left, right, rows = f"client {pair.client}", f"server {pair.server}", self._called(planned, record)
        sent, received = self._messages(record)
        return ExchangeExample(_what(record), sent, received, left, right, tuple(rows), replay)

    def _messages(self, record: ExchangeRecord) -> tuple[str, str]:
        planned, sent, received = record.planned, record.sent, record.received
        if isinstance(planned, AbsentRpcProbe) or sent is None:
            return "", ""
        pair = planned.root if isinstance(planned, RpcProbe) else planned.pair
        reader = pair.of(planned.flow.reader)
        shown = show_message(reader, received) if isinstance(received, Meaning) else str(received or "")
        return show_message(pair.of(planned.flow.writer), sent), shown

    def _called(self, planned: RpcProbe | AbsentRpcProbe, record: ExchangeRecord) -> Iterator[TranscriptRow]:
        call, played = record.order.what, record.played
        assert isinstance(call, Call) and isinstance(played, PlayedCall)
        client_version, client, server = planned.client, played.client, played.server
        own, other = (self._shapes[version] for version in (client_version, client_version.other))
        requests = [self._view(other.of(call.server.request), view) for view in server.views] if server and call.server else []
        for content, request in zip_longest(call.requests, requests):
            left = "" if content is None else f"send {self._bytes(client_version, call.client.request, content)}"
            yield TranscriptRow(left, "->", "—" if request is None else f"received {request}")
        if server is None or not server.arrived:
            yield TranscriptRow("", "", "no such RPC" if call.server is None else "the call did not arrive")
        responses = [self._view(own.of(call.client.response), view) for view in client.views] if client else []
        sent = call.responses if call.server and server and server.arrived else ()
        for content, response in zip_longest(sent, responses):
            right = ""
            if content is not None and call.server is not None:
                right = f"send {self._bytes(client_version.other, call.server.response, content)}"
            yield TranscriptRow("—" if response is None else f"received {response}", "<-", right)
        if client is not None and client.status is not None:
            status = client.status
            yield TranscriptRow(": ".join(filter(None, (CODES[status.code], status.message))), "", "")
        if played.broken:
            yield TranscriptRow(*(("", "", played.broken) if played.culprit is Side.SERVER else (played.broken, "", "")))

    def _read(self, planned: MessageProbe, record: ExchangeRecord) -> Iterator[TranscriptRow]:
        reading = record.reading
        assert reading is not None
        if planned.format is not Format.BINARY:
            left = f"write {reading.sent.decode()}"
        else:
            left = f"write {self._bytes(planned.flow.writer, planned.pair.of(planned.flow.writer).name, reading.sent)}"
        if isinstance(reading.answer, Refused):
            yield TranscriptRow(left, "->", f"refused: {reading.answer.text}")
        elif isinstance(reading.answer, Written) and reading.answer.view is not None:
            yield TranscriptRow(left, "->", f"read {self._view(planned.pair.of(planned.flow.reader), reading.answer.view)}")
        if isinstance(reading.strict, Refused):
            yield TranscriptRow("", "", f"refused, where unknown fields are not skipped: {reading.strict.text}")

    def _bytes(self, version: Version, type_name: str, content: bytes) -> str:
        return self._shapes[version].catalog.describe(type_name, content)

    def _view(self, shape: Shape, view: View) -> str:
        try:
            return show_message(shape, read_view(shape, view))
        except NotAViewError as error:
            return f"(not a valid view: {error})"


def _what(record: ExchangeRecord) -> str:
    """Return why the message is special, in words."""
    planned = record.planned
    if isinstance(planned, MessageProbe):
        words = (planned.probes[record.number].what, record.reading.what if record.reading else "")
        return ", ".join(filter(None, words))
    return planned.what if isinstance(planned, RpcProbe) else ""
