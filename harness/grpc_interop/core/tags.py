"""Tags: facts about a case, which files of known failures may match. Pure, and about no runtime.

Tags are read off a case's scripts, so that they also say of a case that has passed whether it might have failed.
"""

from functools import singledispatch

from grpc_interop.core.case import (
    AnyCase,
    Cancel,
    Case,
    Kind,
    MessageCase,
    Receive,
    ReceiveToEnd,
    Send,
    SendHeaders,
    Signal,
    finishes,
    steps,
)

LARGE_BYTES = 64 * 1024
"""The size from which a message is large: it fills the first window of HTTP/2."""

TAGS = frozenset(
    {
        *("unread_at_end", "headers_without_message", "headers", "trailers", "error", "details", "request_metadata", "deadline", "cancel"),
        *("signals", "lanes", "compression", "large_message", "empty_message", "json", "binary", *Kind),
    }
)
"""All tags that `tags_of` may return."""


@singledispatch
def tags_of(case: AnyCase) -> frozenset[str]:  # noqa: ARG001  a kind of case registers its own facts
    """Return the tags of a case: facts about all of it, whichever message it carries."""
    return frozenset()


@tags_of.register
def _of_rpc(case: Case) -> frozenset[str]:
    client, server, statuses = list(steps(case.client)), list(steps(case.server)), finishes(case.server)
    messages = [step.message for step in (*client, *server) if isinstance(step, Send)]
    kinds = {type(step) for step in (*client, *server)}
    answers = any(isinstance(step, Send) for step in server)
    facts = {
        "unread_at_end": _messages_unread(case),
        "headers_without_message": SendHeaders in kinds and not answers,
        "headers": SendHeaders in kinds,
        "trailers": any(status.trailers for status in statuses),
        "error": any(status.code for status in statuses),
        "details": any(status.details for status in statuses),
        "request_metadata": bool(case.metadata),
        "deadline": case.timeout_us is not None,
        "cancel": Cancel in kinds,
        "signals": Signal in kinds,
        "lanes": max(len(case.client), len(case.server)) > 1,
        "compression": bool(case.compression),
        "large_message": any(len(message) >= LARGE_BYTES for message in messages),
        "empty_message": b"" in messages,
    }
    return frozenset({case.method.kind.value, *(tag for tag, holds in facts.items() if holds)})


@tags_of.register
def _of_messages(case: MessageCase) -> frozenset[str]:
    return frozenset({"json" if case.json else "binary"})


def _messages_unread(case: Case) -> bool:
    """Return whether the server ends with messages of a stream unread, be they sent before its end or after it."""
    if not case.method.kind.client_streams:
        return False
    sent = [len(step.message) for step in steps(case.client) if isinstance(step, Send)]
    limit = case.server_endpoint.max_receive_bytes
    if limit is not None and max(sent, default=0) > limit:
        return True  # the server ends the call at that message
    if any(isinstance(step, ReceiveToEnd) for step in steps(case.server)):
        return False
    return len(sent) > sum(isinstance(step, Receive) for step in steps(case.server))
