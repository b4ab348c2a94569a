"""Metadata whose repeated values were joined on the way: put back as they were sent, so that the verdict stays exact. Pure.

gRPC's protocol lets the values of a repeated key be joined by a comma, and calls both forms equivalent
(https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Custom-Metadata"). Only where a driver of the pair says
that its runtime does so (`joins_metadata`), and only what is exactly the sent values with one separator between all of
them: a value that is lost, altered, added or in another place stays as it was reported, and differs.
"""

from __future__ import annotations

from grpc_interop.core.case import Case, Entry, SendHeaders, finishes, steps
from grpc_interop.core.transcript import ClientTranscript, ServerTranscript

JOINS = "joins_metadata"
"""The capability."""

SEPARATORS = (b",", b", ")
"""What runtimes put between the values: HTTP allows a space, which Node's adds."""

Entries = tuple[Entry, ...]


def taken_apart(case: Case, client: ClientTranscript, server: ServerTranscript) -> tuple[ClientTranscript, ServerTranscript]:
    """The transcripts with joined values as the case sent them."""
    server = server._replace(request=_apart(case.metadata, server.request))
    for headers in (step.entries for step in steps(case.server) if isinstance(step, SendHeaders)):
        client = client._replace(initial=_apart(headers, client.initial))
    for end in finishes(case.server):
        if client.status is not None:
            client = client._replace(status=client.status._replace(trailers=_apart(end.trailers, client.status.trailers)))
    return client, server


def _apart(sent: Entries, seen: Entries) -> Entries:
    """What was seen, the joined values of each key as they were sent; the order of the keys is as it was seen."""
    found: list[Entry] = []
    for key in dict.fromkeys(entry.key for entry in seen):
        values = [entry.value for entry in seen if entry.key == key]
        wanted = [entry.value for entry in sent if entry.key == key]
        alike = len(wanted) > 1 and not key.endswith("-bin") and any(values == [separator.join(wanted)] for separator in SEPARATORS)
        found += [Entry(key, value) for value in (wanted if alike else values)]
    return tuple(found)
