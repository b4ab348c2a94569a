"""A case as text, and back."""

import base64
import json
import zlib
from dataclasses import replace

import pytest
from google.protobuf import descriptor_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from conversations import ALL_STREAM, PY_GO, hello, ping_pong
from grpc_interop.core.case import (
    Cancel,
    Case,
    Entry,
    Finish,
    HalfClose,
    Receive,
    ReceiveHeaders,
    ReceiveToEnd,
    Send,
    SendHeaders,
    Signal,
    Status,
    WaitFor,
    WaitForTermination,
)
from grpc_interop.core.endpoint import Endpoint
from grpc_interop.core.side import Side
from grpc_interop.errors import UsageError
from grpc_interop.repro.case_text import Replay, decode, encode
from grpc_interop.repro.export_request import reproduction_of
from grpc_interop.repro.packing import ReplayError
from grpc_interop.schema.catalog import Catalog

ALL_BYTES = bytes(range(256))
NO_CATALOG = Catalog([], b"")
PROTOS = pb.FileDescriptorSet(file=[pb.FileDescriptorProto(name="ö/a b.proto")]).SerializeToString()


def packed(value: object) -> str:
    return "ic1:" + base64.urlsafe_b64encode(zlib.compress(json.dumps(value).encode())).decode().rstrip("=")


def every_step() -> Case:
    """Every step and every field, none with its default."""
    entry = Entry("x-interop-a-bin", ALL_BYTES)
    return Case(
        "calls",
        "all",
        ALL_STREAM,
        ((Send(ALL_BYTES), WaitFor("a"), ReceiveHeaders(), HalfClose()), (Receive(), ReceiveToEnd(), Cancel())),
        (
            (SendHeaders((entry,)), Receive(), Signal("a"), WaitForTermination()),
            (Send(b""), Finish(Status(5, "nötig", ALL_BYTES, (entry, entry)))),
        ),
        metadata=(entry,),
        timeout_us=1_000_000,
        own_connection=True,
        compression="gzip",
        why="für alle",
        extra_requires=frozenset({"b", "a"}),
        player="programs",
        spread_us=7,
        client_endpoint=Endpoint(max_receive_bytes=0),
        server_endpoint=Endpoint(max_receive_bytes=1_000),
    )


@pytest.mark.parametrize("case", [every_step(), hello(), ping_pong(1000), hello(status=Status(3, None))])
def test_a_case_comes_back_whole(case: Case) -> None:
    """All fields, the pair and the protos."""
    assert decode(encode(case, PY_GO, PROTOS)) == Replay(case, PY_GO, PROTOS)


def test_an_ordinary_case_is_short_and_safe_in_a_shell() -> None:
    """One line that can be copied."""
    text = encode(ping_pong(10), PY_GO, b"")
    assert len(text) < 800
    assert text.replace(":", "").replace("-", "").replace("_", "").isalnum()


def test_a_text_says_nothing_of_endpoints_without_options() -> None:
    """So it is the text that earlier versions wrote, which they can read."""
    packed_part = encode(hello(), PY_GO, b"").removeprefix("ic1:")
    assert b"endpoint" not in zlib.decompress(base64.urlsafe_b64decode(packed_part + "=="))


def test_a_case_with_options_of_its_endpoints_is_not_exported() -> None:
    """The programs would not have them, and show something else."""
    case = replace(hello(), server_endpoint=Endpoint(max_receive_bytes=1_000))
    with pytest.raises(UsageError, match=r"cannot be exported: its server has options, max_receive_bytes = 1,000"):
        reproduction_of(case).side(Side.SERVER, NO_CATALOG)


def test_a_large_message_packs_well() -> None:
    """1 MiB of one letter is a short text."""
    case = Case("calls", "large", ALL_STREAM, ((Send(b"x" * (1 << 20)), ReceiveToEnd()),), ((ReceiveToEnd(), Finish()),))
    text = encode(case, PY_GO, b"")
    assert len(text) < 2_500
    assert decode(text).case == case


def test_blanks_and_line_breaks_do_no_harm() -> None:
    """Mails and terminals wrap."""
    text = encode(hello(), PY_GO, PROTOS)
    wrapped = "\n  ".join(text[start : start + 40] for start in range(0, len(text), 40))
    assert decode(f" {wrapped}\n") == decode(text)


@given(st.data())
def test_a_cut_or_changed_text_is_refused_in_words(data: st.DataObject) -> None:
    """Every prefix, and every text with a character changed, is an error for people, never another exception."""
    text = encode(hello(), PY_GO, PROTOS)
    at = data.draw(st.integers(0, len(text) - 1))
    if data.draw(st.booleans()):
        bad = text[:at]
    else:
        bad = text[:at] + data.draw(st.characters(exclude_characters=text[at], exclude_categories=["Z", "C"])) + text[at + 1 :]
    if at == len(text) - 1 and len(bad) == len(text):
        return  # the last character of base64 may hold bits that mean nothing
    with pytest.raises(ReplayError) as caught:
        decode(bad)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a replay text"),
        ("calls/greeter.v1.Greeter/SayHello/one", "is not a replay text"),
        ("ic1:", "its end is missing"),
        ("ic1:!!!", "cut or garbled"),
        (packed([1]), "holds no case"),
        (packed({"contract": 2}), "version 2 of the driver contract; this harness speaks 1"),
        (packed({"contract": 1}), "does not know"),
        (packed({"contract": 1, "case": {"Case": {"colour": 1}}, "pair": "a:b", "protos": ""}), "colour"),
        (packed({"contract": 1, "case": {"Popen": {}}, "pair": "a:b", "protos": ""}), "Popen"),
        (packed({"contract": 1, "case": [], "pair": "a:b", "protos": ""}), "no case"),
        (packed({"contract": 1, "case": {"Case": {"why": "\ud800"}}, "pair": "a:b", "protos": ""}), "half a character"),
        (packed({"contract": 1, "case": [], "pair": "a:\udfff", "protos": ""}), "half a character"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(text: str, words: str) -> None:
    """Wrong usage, with what to do next."""
    with pytest.raises(ReplayError, match=words) as caught:
        decode(text)
    assert isinstance(caught.value, UsageError)
    assert caught.value.remedy


def test_a_text_does_not_unpack_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes may stand for gigabytes."""
    monkeypatch.setattr("grpc_interop.repro.packing.MOST_BYTES", 1000)
    with pytest.raises(ReplayError, match="more than 1,000 bytes"):
        decode(encode(ping_pong(1000), PY_GO, b""))


def test_a_failure_that_comes_and_goes_says_how_often_to_play_it():
    """
    The number travels with the text; one that is none, or that would take for ever, is refused.
    """
    assert decode(encode(hello(), PY_GO, b"", 50)).plays == 50
    assert decode(encode(hello(), PY_GO, b"")).plays == 1
    with pytest.raises(ReplayError, match="plays = 1000000"):
        decode(encode(hello(), PY_GO, b"", 1_000_000))
