"""What buf says, beside the elements that it is about."""

from pathlib import Path

import pytest

from edited_trees import BASE, Trees, edited
from grpc_interop.compat import buf
from grpc_interop.compat.buf_findings import with_alarms
from grpc_interop.compat.vocabulary.observation import ElementOutcome
from grpc_interop.compat.vocabulary.result import ChangeFinding, ChangeVerdict, EffectSummary, SourceLocation
from grpc_interop.schema.catalog import Catalog


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


class TestBeside:
    def test_each_finding_gets_its_own_alarms(self, trees: Trees) -> None:
        """
        And nobody else's.
        """
        base, head = trees.of("base", BASE), trees.of("head", edited("p.M.total"))
        findings = [ChangeFinding("p.M.total", ("type",), ChangeVerdict.BREAK), ChangeFinding("p.M.name", ("name",), ChangeVerdict.BREAK)]
        total, name = with_alarms(findings, buf.alarms(base, head), base, head)
        assert [alarm.rule for alarm in total.static] == ["FIELD_SAME_TYPE", "FIELD_WIRE_JSON_COMPATIBLE_TYPE"]
        assert name.static == ()

    def test_what_only_buf_speaks_of_is_a_finding_without_effect(self, trees: Trees) -> None:
        """
        A harmless alarm is shown although nothing was found that could be harmful.
        """
        base, head = trees.of("base", BASE), trees.of("head", edited("p/p.proto"))
        (finding,) = with_alarms([], buf.alarms(base, head), base, head)
        assert (finding.element, finding.verdict) == ("p/p.proto", ChangeVerdict.OK)

    def test_an_rpc_that_went_with_its_service_has_the_service_s_alarms(self, trees: Trees) -> None:
        """
        buf speaks of the service alone.
        """
        base, head = trees.of("base", BASE), trees.of("head", edited("p.T"))
        findings = [ChangeFinding("p.T/Say", ("removed",), ChangeVerdict.BREAK), ChangeFinding("p.T", ("removed",), ChangeVerdict.NOTE)]
        method, service = with_alarms(findings, buf.alarms(base, head), base, head)
        assert {alarm.rule for alarm in method.static} == {"SERVICE_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE"}
        assert set(method.static) == set(service.static)

    def test_a_message_that_only_its_fields_affect_has_their_alarms(self, trees: Trees) -> None:
        """
        buf is not silent about it.
        """
        base, head = trees.of("base", BASE), trees.of("head", edited("p.M.total"))
        findings = [ChangeFinding("p.M", ("affected",), ChangeVerdict.BREAK), ChangeFinding("p.M.total", ("type",), ChangeVerdict.BREAK)]
        message, field = with_alarms(findings, buf.alarms(base, head), base, head)
        assert message.static == field.static != ()

    def test_a_field_has_the_alarms_of_its_enum(self, trees: Trees) -> None:
        """
        Whether an enum is closed shows where it is used.
        """
        closed = 'edition = "2023"; package p; message M { E e = 1; map<int32, E> es = 2; int32 n = 3; } enum E { %s Z = 0; }'
        base, head = trees.of("base", closed % ""), trees.of("head", closed % "option features.enum_type = CLOSED;")
        findings = [ChangeFinding(f"p.M.{name}", ("closed",), ChangeVerdict.OK) for name in ("e", "es", "n")]
        told = with_alarms(findings, buf.alarms(base, head), base, head)
        assert [[alarm.rule for alarm in one.static] for one in told] == [["ENUM_SAME_TYPE"], ["ENUM_SAME_TYPE"], []]

    def test_what_lies_behind_a_field_of_another_type_has_that_field_s_alarms(self, trees: Trees) -> None:
        """
        buf complains of the field whose type was replaced, and knows no way through it.
        """
        text = 'syntax = "proto3"; package p; message M { %s in = 1; } message A { int32 n = 1; } message B { string n = 1; }'
        base, head = trees.of("base", text % "A"), trees.of("head", text % "B")
        findings = [ChangeFinding("p.M.in.n", ("type",), ChangeVerdict.BREAK), ChangeFinding("p.M.in", ("type",), ChangeVerdict.NOTE)]
        inner, outer = with_alarms(findings, buf.alarms(base, head), base, head)
        assert inner.static == outer.static != ()

    def test_a_place_whose_type_was_replaced_has_the_alarms_of_its_rpc(self, trees: Trees) -> None:
        """
        Elements below it are named from the RPC.
        """
        base = trees.of("base", BASE)
        head = trees.of("head", BASE.replace("service T { rpc Say(M) ", "service T { rpc Say(In) "))
        place = ChangeFinding("p.T/Say request.total", ("gone",), ChangeVerdict.BREAK)
        (finding,) = with_alarms([place], buf.alarms(base, head), base, head)
        assert [alarm.rule for alarm in finding.static] == ["RPC_SAME_REQUEST_TYPE"]


class TestWhatIsSaidOfFilesAndPackages:
    """It belongs to what comes of it."""

    OLD = 'syntax = "proto3"; package old; message M { int32 n = 1; } service S { rpc Say(M) returns (M); }'

    @pytest.fixture
    def renamed(self, trees: Trees) -> tuple[Catalog, Catalog]:
        """The packages of two files, of which only the first holds a service."""
        types = 'syntax = "proto3"; package old; message T { int32 n = 1; }'
        return trees.of("base", self.OLD, types), trees.of("head", *(text.replace("old", "new") for text in (self.OLD, types)))

    def test_a_renamed_package_is_no_harmless_alarm_beside_the_rpcs_that_it_takes_away(self, renamed: tuple[Catalog, Catalog]) -> None:
        """
        Also what is said of the package's other files.
        """
        rpc = ChangeFinding("old.S/Say", ("removed",), ChangeVerdict.BREAK, "RPC", base=SourceLocation("p/p.proto", 1))
        message = ChangeFinding("old.M", ("removed",), ChangeVerdict.NOTE, "message", base=SourceLocation("p/p.proto", 1))
        file = ChangeFinding(
            "p/p.proto",
            ("package old -> new",),
            ChangeVerdict.OK,
            "file",
            base=SourceLocation("p/p.proto", 1),
            head=SourceLocation("p/p.proto", 1),
        )
        told = with_alarms([rpc, message, file], buf.alarms(*renamed), *renamed)
        assert [{alarm.rule for alarm in one.static} for one in told] == [{"FILE_SAME_PACKAGE", "PACKAGE_NO_DELETE"}, set(), set()]

    def test_where_nothing_comes_of_it_it_is_one(self, renamed: tuple[Catalog, Catalog]) -> None:
        """
        A message that is called otherwise arrives as ever.
        """
        message = ChangeFinding("old.M", ("removed",), ChangeVerdict.NOTE, "message", base=SourceLocation("p/p.proto", 1))
        message, *others = with_alarms([message], buf.alarms(*renamed), *renamed)
        assert message.static == ()
        assert {one.element for one in others} == {"p/p.proto", "q/q.proto", "old"}

    def test_a_type_that_an_any_no_longer_finds_has_them_too(self, renamed: tuple[Catalog, Catalog]) -> None:
        seen = EffectSummary("old to new", "response", "json", ElementOutcome.REJECTED, ("py:py",))
        message = ChangeFinding("old.T", ("removed",), ChangeVerdict.NOTE, "message", base=SourceLocation("q/q.proto", 1), observed=(seen,))
        (told,) = with_alarms([message], buf.alarms(*renamed), *renamed)
        assert {alarm.rule for alarm in told.static} == {"FILE_SAME_PACKAGE", "PACKAGE_NO_DELETE"}

    def test_a_field_of_such_a_type_is_no_harmless_alarm(self, trees: Trees) -> None:
        """
        What is said of the field is said since its type is called otherwise.
        """
        text = 'syntax = "proto3"; package p; message %s { int32 n = 1; } message M { %s m = 1; map<int32, %s> by_number = 2; }'
        versions = trees.of("base", text.replace("%s", "Old")), trees.of("head", text.replace("%s", "New"))
        seen = EffectSummary("old to new", "response", "json", ElementOutcome.REJECTED, ("py:py",))
        message = ChangeFinding("p.Old", ("removed",), ChangeVerdict.NOTE, "message", base=SourceLocation("p/p.proto", 1), observed=(seen,))
        fields = [ChangeFinding(f"p.M.{name}", ("type",), ChangeVerdict.OK, "field") for name in ("m", "by_number")]
        told = with_alarms([message, *fields], buf.alarms(*versions), *versions)
        assert {alarm.rule for alarm in told[0].static} > {"MESSAGE_NO_DELETE", "FIELD_SAME_TYPE"}
        assert told[1].static == told[2].static == ()

    def test_a_file_s_other_syntax_is_said_of_what_breaks_in_it(self, trees: Trees) -> None:
        text = 'syntax = "proto3"; package p; option go_package = "a"; message M { int32 n = 1; }'
        other = text.replace("proto3", "proto2").replace("int32 n", "optional int32 n").replace('"a"', '"b"')
        versions = trees.of("base", text), trees.of("head", other)
        field = ChangeFinding(
            "p.M.n", ("presence",), ChangeVerdict.BREAK, "field", base=SourceLocation("p/p.proto", 1), head=SourceLocation("p/p.proto", 1)
        )
        field, *others = with_alarms([field], buf.alarms(*versions), *versions)
        assert "FILE_SAME_SYNTAX" in {alarm.rule for alarm in field.static}
        (file,) = [one for one in others if one.element == "p/p.proto"]
        assert {alarm.rule for alarm in file.static} == {"FILE_SAME_GO_PACKAGE"}
