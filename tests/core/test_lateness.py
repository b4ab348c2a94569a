"""What counts as too late: only what the transcripts show to have taken too long by itself."""

import pytest

from grpc_interop.core.case import Case, Finish, Kind, Method, Receive, ReceiveToEnd, Send, Status, WaitForTermination
from grpc_interop.core.lateness import lost_us
from grpc_interop.core.model import EARLY_US, hurried, model
from grpc_interop.core.transcript import END, TERMINATED, ClientTranscript, ServerTranscript
from grpc_interop.core.verdict import compare

S = 1_000_000
METHOD = Method("p.S", "Talk", Kind.BIDI_STREAMING, "p.A", "p.B")
CASE = Case(
    "calls",
    "deadline",
    METHOD,
    ((Send(b"ping"), Receive(), ReceiveToEnd()),),
    ((Receive(), Send(b"pong"), WaitForTermination(), Finish(Status(1, "ended"))),),
    timeout_us=2 * S,
)
NOW = 1_700_000_000 * S
MISSED = ClientTranscript(((END,),), (), Status(4, "too late"), 2 * S, done_us=((100, 2 * S, 2 * S),), began_us=NOW)


def server(began_us: int, *done_us: int, answered: bool = True) -> ServerTranscript:
    seen = (b"ping", TERMINATED) if answered else (TERMINATED,)
    return ServerTranscript(True, (seen,), (), 2 * S, done_us=(done_us,), began_us=NOW + began_us)


@pytest.mark.parametrize(
    ("seen", "lost"),
    [
        (server(1_500_000, 10, 20, 500_000, 500_000), 1_500_020),
        (server(200, 900_000, 1_100_000, 1_900_000, 1_900_000), 1_100_200),
        (server(1_200_000, 800_000, 800_000, 800_000, 800_000, answered=False), 1_200_000),
        (server(600_000, 1_900_000, 1_900_000, 1_900_000, 1_900_000, answered=False), 1_100_000),
    ],
    ids=["it began late", "it answered late", "it began late and got nothing", "it began late and learned late of the end"],
)
def test_a_server_that_was_late_by_itself_is_seen(seen: ServerTranscript, lost: int) -> None:
    assert lost_us(CASE, MISSED, seen) == lost
    assert compare(CASE, model(CASE), MISSED, seen)[0] is not None
    assert compare(CASE, hurried(CASE), MISSED, seen)[0] is None


@pytest.mark.parametrize(
    "seen",
    [
        server(200, 300, 310, 2 * S, 2 * S),
        server(200, 2 * S, 2 * S, 2 * S, 2 * S, answered=False),
        server(200, 700_000, 990_000, 2 * S, 2 * S),
        server(200, 2_900_000, 2_900_000, 2_900_000, 2_900_000, answered=False),
    ],
    ids=["it answered at once", "it waited in vain", "it answered in time", "it was a little late with the end"],
)
def test_waiting_for_what_never_came_explains_nothing(seen: ServerTranscript) -> None:
    """An answer that was lost looks like this: the failure stands."""
    assert lost_us(CASE, MISSED, seen) == 0


def test_a_call_that_never_came_to_a_quick_server_was_lost() -> None:
    never = ServerTranscript(False, ((),), (), began_us=NOW + 100, elapsed_us=2 * S + 1_000)
    assert lost_us(CASE, MISSED, never) == 0


@pytest.mark.parametrize(("began_us", "elapsed_us"), [(1_100_000, 900_000), (100, 3_100_000), (600_000, 2_000_000)])
def test_a_server_that_took_its_script_or_gave_its_word_late_stood_still(began_us: int, elapsed_us: int) -> None:
    never = ServerTranscript(False, ((),), (), began_us=NOW + began_us, elapsed_us=elapsed_us)
    assert lost_us(CASE, MISSED, never) >= S
    assert compare(CASE, hurried(CASE), MISSED, never)[0] is None


def test_a_client_that_learns_late_of_its_own_deadline_is_late() -> None:
    assert lost_us(CASE, MISSED._replace(elapsed_us=3_100_000), server(200, 300, 310, 2 * S, 2 * S)) == 1_100_510


def test_without_times_nothing_is_explained() -> None:
    late = server(1_500_000, 10, 20, 500_000, 500_000)
    assert lost_us(CASE, MISSED._replace(began_us=0, done_us=()), late) == 0
    assert lost_us(CASE, MISSED, late._replace(began_us=0, done_us=())) == 0


@pytest.mark.parametrize(
    "client",
    [
        MISSED._replace(elapsed_us=2 * S - EARLY_US - 1),
        MISSED._replace(status=Status(13, "broken")),
        MISSED._replace(lanes=((b"another", END),)),
        MISSED._replace(lanes=((b"pong", b"pong", END),)),
        MISSED._replace(lanes=((),)),
        MISSED._replace(aborted=True),
    ],
    ids=["before its deadline", "another status", "another message", "one too many", "no end", "stopped"],
)
def test_what_no_deadline_explains_is_wrong_however_late_it_was(client: ClientTranscript) -> None:
    late = server(1_500_000, 10, 20, 500_000, 500_000)
    assert compare(CASE, hurried(CASE), client, late)[0] is not None


def test_a_case_without_a_deadline_cannot_be_late() -> None:
    case = Case("calls", "one", METHOD, ((Send(b"ping"), ReceiveToEnd()),), ((Receive(), Finish()),))
    assert lost_us(case, MISSED, server(1_500_000, 1, 2, 3, 4)) == 0
    assert hurried(case) == ()
