"""Metadata whose repeated values were joined on the way: split again as they were sent, so that the verdict stays exact. Pure.

gRPC's protocol lets the values of a repeated key be joined by a comma, and calls both forms equivalent
(https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Custom-Metadata"). Values are split only where a
driver of the pair says that its runtime joins them (`joins_metadata`), and only if they are exactly the sent values with a
separator between them. A value that is lost, altered, added or in another place stays as it was reported, and differs.
"""

from grpc_interop.core.case import Case, Entry, SendHeaders, finishes, steps
from grpc_interop.core.transcript import ClientTranscript, ServerTranscript

JOINS = "joins_metadata"
"""The capability."""

SEPARATORS = (b",", b", ")
"""The separators of runtimes: HTTP allows a space, which Node's adds."""

Metadata = tuple[Entry, ...]


def split_joined(case: Case, client: ClientTranscript, server: ServerTranscript) -> tuple[ClientTranscript, ServerTranscript]:
    """Return the transcripts with joined values as the case sent them."""
    server = server._replace(request=_split(case.metadata, server.request))
    for headers in (step.entries for step in steps(case.server) if isinstance(step, SendHeaders)):
        client = client._replace(initial=_split(headers, client.initial))
    for end in finishes(case.server):
        if client.status is not None:
            client = client._replace(status=client.status._replace(trailers=_split(end.trailers, client.status.trailers)))
    return client, server


def _split(sent: Metadata, seen: Metadata) -> Metadata:
    """Return the metadata that was seen, with the joined values of each key as they were sent, in the order of keys that was seen."""
    entries: list[Entry] = []
    for key in dict.fromkeys(entry.key for entry in seen):
        values = [entry.value for entry in seen if entry.key == key]
        wanted = [entry.value for entry in sent if entry.key == key]
        joined = len(wanted) > 1 and not key.endswith("-bin") and any(values == [separator.join(wanted)] for separator in SEPARATORS)
        entries += [Entry(key, value) for value in (wanted if joined else values)]
    return tuple(entries)
