"""Messages that are carried from one version to another without an RPC."""

from collections.abc import Callable

from grpc_interop.compat.play.transcoding import Reading, TranscodeBatch, batch_dialogue
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Answer, Ask, Refused, Written


def readings(answer: Callable[[Ask], Answer], variants: Callable[[str], list[tuple[str, str]]]) -> list[Reading]:
    """What a dialogue about one message in ProtoJSON comes to where both sides answer so."""
    dialogue = batch_dialogue(TranscodeBatch("t.M", "t.M", (b"",), json=True, variants=variants), b"")
    ask = next(dialogue)
    while True:
        try:
            ask = dialogue.send((answer(ask),))
        except StopIteration as ended:
            return list(ended.value)


def plain_and_as_number(text: str) -> list[tuple[str, str]]:
    return [(text, ""), (text.replace("RED", "1"), "as number")]


def written(ask: Ask) -> Answer:
    """By the writer: an enum, and a list where zeros are written."""
    return Written(b"", '{"e":RED,"l":[]}' if ask.emit_zero else '{"e":RED}')


def test_every_text_is_read_with_and_without_zeros() -> None:
    """
    Each once, without zeros first; what is special about it is told.
    """
    found = readings(lambda ask: written(ask) if ask.side is not Side.SERVER else Written(b""), plain_and_as_number)
    assert [(one.sent, one.what) for one in found] == [
        (b'{"e":RED}', ""),
        (b'{"e":1}', "as number"),
        (b'{"e":RED,"l":[]}', "zero values written"),
        (b'{"e":1,"l":[]}', "zero values written, as number"),
    ]


def test_a_refusal_is_the_zeros_where_the_same_without_them_was_taken() -> None:
    """
    The same text in all else: the reader here takes no number, and no list.
    """

    def answer(ask: Ask) -> Answer:
        if ask.side is not Side.SERVER:
            return written(ask)
        return Refused("no") if b"[" in ask.data[0] or b"1" in ask.data[0] else Written(b"")

    found = {one.sent: one.only_zeros for one in readings(answer, plain_and_as_number)}
    assert found == {b'{"e":RED}': False, b'{"e":1}': False, b'{"e":RED,"l":[]}': True, b'{"e":1,"l":[]}': False}
