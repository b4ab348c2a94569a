"""A case's examples, asked about; and the first that fails, shrunk."""

from pathlib import Path

from grpc_interop.core.case import MessageCase
from grpc_interop.core.side import Side
from grpc_interop.core.transcoding import Answer, Ask, Refused, Written
from grpc_interop.messages.examination import Examiner, Findings
from grpc_interop.messages.example_maker import Example
from grpc_interop.schema.catalog import Catalog
from grpc_interop.wire.meaning import Validity, validity
from grpc_interop.wire.shapes import Shapes

NEEDY = 'syntax = "proto2"; package a; message R { required int32 a = 1; } message M { map<string, R> m = 1; required string s = 2; }'


def found(shapes: Shapes, case: MessageCase) -> Findings:
    """What is found where the client takes everything and the server nothing."""
    examination = Examiner(shapes).examination(case, lambda difference: False)
    while examination.findings is None:
        for number, first in list(examination.next_asks()):
            ask: Ask | None = first
            while ask is not None:
                ask = examination.answer(number, answers(ask))
    return examination.findings


def answers(ask: Ask) -> tuple[Answer, ...]:
    return tuple(Written(data) if ask.side is Side.CLIENT else Refused("no") for data in ask.data)


def test_what_is_shrunk_stays_what_its_case_is_about(tmp_path: Path) -> None:
    """
    A text that is none is not dropped in favour of a required field that is missing, which may be refused alike.
    """
    (tmp_path / "a.proto").write_text(NEEDY)
    shapes = Shapes(Catalog.load([tmp_path], [], tmp_path / "cache"))
    findings = found(shapes, MessageCase("messages", "not_utf8", "a.M", alike=True))
    first = findings.failed[0].example.data
    assert len(findings.smallest) < len(first)
    assert validity(shapes.of("a.M"), findings.smallest) is Validity.NOT_UTF8
    assert findings.difference is not None
    assert findings.difference.tags == {"not_utf8"}, "the tags of the message that was shrunk"


def test_whether_all_examples_need_a_file_is_known_at_the_first_that_does_not(tmp_path: Path) -> None:
    """
    Though a run may ask for a hundred thousand random messages of each type.
    """
    (tmp_path / "a.proto").write_text(NEEDY)
    examiner = Examiner(Shapes(Catalog.load([tmp_path], [], tmp_path / "cache")))
    made: list[int] = []
    examiner._examples.of = lambda case: (made.append(number) or Example(b"", "", file) for number, file in enumerate(["b", "", "b"]))  # type: ignore[method-assign]
    case = MessageCase("messages", "values", "a.M")
    assert (examiner.needs_one_of(case, {"b"}), made) == ("", [0, 1])
    assert examiner.needs_one_of(case, {"b", ""}) == "b"
