"""Transcripts of one case that are read again: what they say is their own, however alike they are."""

import pytest

from grpc_interop.core.case import OK, Entry, Status
from grpc_interop.core.transcript import END, ClientTranscript, ServerTranscript
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.translate import MOST_LOOKED_UP, Transcripts


def told(*messages: bytes, **others: object) -> pb.Transcript:
    observed = [pb.Observation(message=pb.Message(binary=message)) for message in messages]
    lane = pb.Seen(observed=[*observed, pb.Observation(end=pb.Nothing())])
    return pb.Transcript(arrived=True, lanes=[lane], **others)


def test_equal_transcripts_of_a_client_keep_their_own_time():
    transcripts = Transcripts()
    seen = [transcripts.client(told(b"a", status=pb.Status(), elapsed_ns=elapsed)) for elapsed in (3_000, 5_000)]
    assert seen == [ClientTranscript(((b"a", END),), (), OK, elapsed) for elapsed in (3, 5)]


def test_transcripts_that_differ_are_read_as_they_are():
    transcripts = Transcripts()
    for message, code, aborted in ((b"a", 0, False), (b"b", 0, False), (b"a", 5, False), (b"a", 0, True), (b"a", 0, False)):
        seen = transcripts.client(told(message, status=pb.Status(code=code), aborted=aborted, elapsed_ns=1_000))
        assert seen == ClientTranscript(((message, END),), (), Status(code) if code else OK, 1, aborted)


@pytest.mark.parametrize("size", [MOST_LOOKED_UP - 100, MOST_LOOKED_UP, 1 << 20])
def test_large_transcripts_are_read_as_they_are(size):
    transcripts = Transcripts()
    for letter, elapsed in ((b"a", 3), (b"b", 4), (b"a", 5)):
        client = transcripts.client(told(letter * size, status=pb.Status(code=5), elapsed_ns=elapsed * 1000))
        assert client == ClientTranscript(((letter * size, END),), (), Status(5), elapsed)
        server = transcripts.server(told(letter * size, remaining_us=elapsed, elapsed_ns=7))
        assert server == ServerTranscript(True, ((letter * size, END),), (), elapsed)


def test_equal_transcripts_of_both_sides_are_kept_apart():
    transcripts = Transcripts()
    both = told(b"a"), told(b"a")
    assert transcripts.client(both[0]) == ClientTranscript(((b"a", END),), (), None)
    assert transcripts.server(both[1]) == ServerTranscript(True, ((b"a", END),), ())


def test_servers_with_another_request_or_time_left_differ():
    transcripts = Transcripts()
    for key, remaining_us in (("x-a", 1), ("x-a", 2), ("x-b", 2), ("x-a", 1)):
        seen = transcripts.server(told(b"a", request=[pb.Entry(key=key, value=b"v")], remaining_us=remaining_us, elapsed_ns=7))
        assert seen == ServerTranscript(True, ((b"a", END),), (Entry(key, b"v"),), remaining_us)


def test_what_is_no_observation_breaks_the_contract_each_time():
    transcripts = Transcripts()
    for _ in range(2):
        with pytest.raises(ContractBroken, match="neither message nor end nor termination"):
            transcripts.server(pb.Transcript(lanes=[pb.Seen(observed=[pb.Observation()])]))
