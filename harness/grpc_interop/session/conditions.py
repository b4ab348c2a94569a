"""What a known failure may say of the cases that it is about, beside their names: under which circumstances it happens.

Circumstances are read off a case's scripts, so that they say of a case that has passed, too, whether it might have failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grpc_interop.core.case import AnyCase, Case, Receive, ReceiveToEnd, Send, SendHeaders, steps


def _ends_with_messages_unread(case: AnyCase) -> bool:
    """The client sends a stream, and the server finishes without having received all of it, be it sent before or after."""
    if not isinstance(case, Case) or not case.method.kind.client_streams:
        return False
    if any(isinstance(step, ReceiveToEnd) for step in steps(case.server)):
        return False
    sent = sum(isinstance(step, Send) for step in steps(case.client))
    return sent > sum(isinstance(step, Receive) for step in steps(case.server))


def _no_message_follows_the_headers(case: AnyCase) -> bool:
    """The server sends initial metadata by itself, and no message."""
    if not isinstance(case, Case):
        return False
    kinds = {type(step) for step in steps(case.server)}
    return SendHeaders in kinds and Send not in kinds


CIRCUMSTANCES: Mapping[str, Callable[[AnyCase], bool]] = {
    "the server ends with messages unread": _ends_with_messages_unread,
    "no message follows the headers": _no_message_follows_the_headers,
}
"""By the words that stand in a file of known failures."""
