"""The command `interop compat`, in repositories of Python alone: what runs, what is seen, and how it ends."""

import sys
from pathlib import Path
from typing import Any

import pytest

from grpc_interop.repro.packing import EXCHANGE, pack, unpack
from repository import Repository

PY = Path(__file__).parents[2] / "py_impl"

OLD = """
message Ask { int64 number = 1; string text = 2; }
message Tell { string text = 1; }
message Still { bool same = 1; }
message Alone { fixed64 number = 1; }
enum Unused { ZERO = 0; ONE = 1; }
service S {
  rpc Do(Ask) returns (Tell);
  rpc Stay(Still) returns (Still);
  rpc Gone(Still) returns (Still);
  rpc Kind(stream Still) returns (Still);
  rpc Both(stream Tell) returns (stream Tell);
}
"""
NEW = (
    OLD.replace("int64 number = 1", "int32 number = 1")
    .replace("message Tell { string text = 1; }", "message Tell { bytes text = 1; string more = 2; }")
    .replace("ZERO = 0; ONE = 1;", "ZERO = 0;")
    .replace("message Alone { fixed64 number = 1; }", "message Alone { sfixed64 number = 1; }")
    .replace("  rpc Gone(Still) returns (Still);\n", "  rpc New(Still) returns (Still);\n")
    .replace("rpc Kind(stream Still) returns (Still)", "rpc Kind(Still) returns (Still)")
)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A project of `py` alone; OLD is committed."""
    made = Repository(tmp_path / "repository")
    made.write("interop.toml", 'implementations = ["py"]\n[protos]\nroots = ["protos"]\n')
    made.proto("protos/a.proto", OLD)
    made.commit()
    return made


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """NEW in the working tree, compared with the commit of OLD."""
    made = Repository(tmp_path_factory.mktemp("edited") / "repository")
    made.write("interop.toml", 'implementations = ["py"]\n[protos]\nroots = ["protos"]\n')
    made.proto("protos/a.proto", OLD)
    made.commit()
    made.proto("protos/a.proto", NEW)
    done = made.interop("compat", "--base", "main")
    assert done.returncode == 1, done.stdout + done.stderr
    return made


def change(repository: Repository, element: str) -> dict[str, Any]:
    (found,) = [one for one in repository.compared["changes"] if one["element"] == element]
    return dict(found)


def seen(repository: Repository, element: str) -> set[tuple[str, str, str, str]]:
    return {(one["flow"], one["role"], one["format"], one["outcome"]) for one in change(repository, element)["observations"]}


class TestWhatIsSeen:
    def test_a_value_that_does_not_fit(self, edited: Repository) -> None:
        """
        Over the network with the example's two transcripts, and in JSON.
        """
        assert seen(edited, "t.Ask.number") == {
            ("old to new", "request", "binary", "altered"),
            ("new to old", "request", "binary", "preserved"),
            ("old to new", "request", "json", "rejected"),
            ("new to old", "request", "json", "preserved"),
        }
        found = change(edited, "t.Ask.number")
        assert (found["verdict"], found["head"]["path"], found["head"]["line"]) == ("break", "protos/a.proto", 4)
        rows = [(row["left"], row["right"]) for row in found["example"]["rows"]]
        assert rows[0] == ("send number: 2147483648", "received { number: -2147483648 }")

    def test_what_only_the_other_direction_shows(self, edited: Repository) -> None:
        """
        What is no text goes from new to old alone, as the response of one RPC and both ways in another.
        """
        rejected = {way for way in seen(edited, "t.Tell.text") if way[2:] == ("binary", "rejected")}
        assert rejected == {("new to old", "request", "binary", "rejected"), ("new to old", "response", "binary", "rejected")}

    def test_a_message_that_no_rpc_reaches(self, edited: Repository) -> None:
        assert ("old to new", "message", "binary", "altered") in seen(edited, "t.Alone.number")

    def test_an_enum_that_no_field_uses(self, edited: Repository) -> None:
        """
        Its values are sent in a message that is made for them, of which nothing is told.
        """
        assert ("old to new", "message", "json", "ignored") in seen(edited, "t.Unused.ONE")
        assert not any("held" in one["element"] for one in edited.compared["changes"])

    def test_rpcs(self, edited: Repository) -> None:
        """
        One that is gone, one that is new, and one of another kind, of which both sides' transcripts tell.
        """
        assert seen(edited, "t.S/Gone") == {("old to new", "request", "binary", "removed")}
        assert "UNIMPLEMENTED" in change(edited, "t.S/Gone")["observations"][0]["why"]
        assert (seen(edited, "t.S/New"), change(edited, "t.S/New")["verdict"]) == ({("new to old", "request", "binary", "added")}, "note")
        kind = change(edited, "t.S/Kind")
        assert {one["outcome"] for one in kind["observations"]} == {"kind changed"}
        assert "client_streaming client, unary server: " in " ".join(one["why"] for one in kind["observations"])

    def test_what_is_new_is_a_note(self, edited: Repository) -> None:
        assert change(edited, "t.Tell.more")["verdict"] == "note"
        assert ("new to old", "response", "binary", "ignored") in seen(edited, "t.Tell.more")

    def test_what_has_not_changed_is_counted_and_not_run(self, edited: Repository) -> None:
        (base,) = edited.compared["bases"]
        assert (base["untouched"]["RPC"], base["not_run"]) == (1, [])
        assert "Stay" not in str(edited.compared["changes"])

    def test_everything_is_run_if_asked(self, edited: Repository, tmp_path: Path) -> None:
        """
        Also where nothing has changed; nothing breaks then.
        """
        some = edited.compared["exchanges"]
        done = edited.interop("compat", "--base", "main", "--all", "--report", tmp_path)
        assert done.returncode == 1
        assert f"{some} exchanges" not in done.stdout
        assert next(line for line in done.stdout.splitlines() if line.startswith("untouched")).endswith(": run as well")

    @pytest.mark.parametrize("element", ["t.Ask.number", "t.Alone.number", "t.Unused.ONE", "t.S/Gone"])
    def test_an_example_can_be_replayed_elsewhere(self, edited: Repository, tmp_path: Path, element: str) -> None:
        """
        A call, messages beside the network, and a call of an RPC that is gone; from the text alone.
        """
        elsewhere = Repository(tmp_path / "elsewhere")
        done = elsewhere.interop("replay", change(edited, element)["replay"])
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1].startswith(f"FAILED: {element} is ")

    def test_a_replay_may_lie_in_a_file_and_says_what_is_mended(self, edited: Repository, tmp_path: Path) -> None:
        """
        An outcome that the exchange does not have any more is FIXED.
        """
        value = unpack(EXCHANGE, change(edited, "t.Ask.number")["replay"]) | {"outcome": "lost"}
        text = tmp_path / "some.iv1"
        text.write_text(pack(EXCHANGE, value) + "\n")
        done = edited.interop("replay", text, "--report", tmp_path / "report")
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "FIXED: t.Ask.number is not lost"), done.stderr

    def test_a_replay_needs_its_implementations(self, edited: Repository, tmp_path: Path) -> None:
        value = unpack(EXCHANGE, change(edited, "t.Ask.number")["replay"]) | {"pair": "py:cobol"}
        done = edited.interop("replay", pack(EXCHANGE, value), "--report", tmp_path / "report")
        assert (done.returncode, "unknown implementation 'cobol'" in done.stderr) == (2, True)


class TestProtoNames:
    @pytest.mark.parametrize(
        ("guarantee", "status"), [("both", 0), ("json", 0), ("json-strict", 0), ("binary", 0), ("json-proto-names", 1)]
    )
    def test_a_renaming_that_a_json_name_hides_breaks_writers_of_own_names(
        self, repository: Repository, guarantee: str, status: int
    ) -> None:
        """
        Only who asks for that hears of it.
        """
        text = 'message Job { string JobId = 1 [json_name = "jobId"]; } service S { rpc Do(Job) returns (Job); }'
        repository.proto("protos/a.proto", text)
        repository.commit()
        repository.proto("protos/a.proto", text.replace('JobId = 1 [json_name = "jobId"]', "job_id = 1"))
        done = repository.interop("compat", "--base", "main", "--guarantee", guarantee)
        assert done.returncode == status, done.stdout + done.stderr
        found = change(repository, "t.Job.JobId")
        assert found["verdict"] == ("break" if status else "ok")
        lost = {(one["flow"], one["format"]) for one in found["observations"] if one["outcome"] == "lost"}
        assert lost == ({(flow, "json by proto names") for flow in ("old to new", "new to old")} if status else set())
        if status:
            again = repository.interop("replay", found["replay"])
            assert again.returncode == 1, again.stdout + again.stderr
            assert '"JobId"' in again.stdout


class TestTypesThatAnAnyMayHold:
    HEAD = 'import "google/protobuf/any.proto"; message Still { bool same = 1; } message Held { int32 n = 1; }'
    FIELD = "message Box { google.protobuf.Any any = 1; repeated google.protobuf.Any list = 2; map<int32, google.protobuf.Any> map = 3; }"
    SERVICES = (
        "service S { rpc Do(Box) returns (Still); }",
        "service S { rpc Do(Still) returns (google.protobuf.Any); }",
        "",
    )

    @pytest.mark.parametrize("service", SERVICES)
    @pytest.mark.parametrize("holder", ["", " int32 more = 4;"])
    @pytest.mark.parametrize("now", ["message Carried { int32 n = 1; }", "message Other { message Held { int32 n = 1; } }", ""])
    def test_that_is_gone_is_a_note_at_every_place_whether_or_not_that_has_changed(
        self, repository: Repository, service: str, holder: str, now: str
    ) -> None:
        """
        Readers of JSON take nothing of the message, also of one with the type that goes on in its place.
        """
        text = f"{self.HEAD} {self.FIELD} {service}"
        repository.proto("protos/a.proto", text)
        repository.commit()
        head = text.replace("map = 3;", f"map = 3;{holder}").replace("message Held { int32 n = 1; }", now)
        repository.proto("protos/a.proto", head)
        done = repository.interop("compat", "--base", "main")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "nothing happens" not in done.stdout
        found = change(repository, "t.Held")
        assert (found["verdict"], found["subject"]) == ("note", "message")
        for place in ("t.Box.any", "t.Box.list", "t.Box.map", *(["t.S/Do response"] if "(google" in service else [])):
            assert place in found["notes"][0]
        assert {(one["flow"], one["format"], one["outcome"]) for one in found["observations"]} >= {("old to new", "json", "rejected")}
        if "n = 1" in now:
            other = "t.Carried" if "Carried" in now else "t.Other.Held"
            assert ("new to old", "json", "rejected") in {way[:1] + way[2:] for way in seen(repository, other)}

    def test_that_has_changed_is_carried_beside_the_network(self, repository: Repository) -> None:
        """
        No RPC is typed with it, whatever holds it.
        """
        text = f"{self.HEAD.replace('int32 n', 'int64 n')} {self.FIELD} {self.SERVICES[0]}"
        repository.proto("protos/a.proto", text)
        repository.commit()
        repository.proto("protos/a.proto", text.replace("int64 n", "int32 n"))
        done = repository.interop("compat", "--base", "main")
        assert done.returncode == 1, done.stdout + done.stderr
        assert {("old to new", "message", "binary", "altered"), ("old to new", "message", "json", "rejected")} <= seen(
            repository, "t.Held.n"
        )

    def test_without_any_any_its_name_travels_nowhere(self, repository: Repository) -> None:
        repository.proto("protos/a.proto", OLD.replace("message Alone", "message Lonely"))
        repository.interop("compat", "--base", "main")
        assert (change(repository, "t.Alone")["verdict"], change(repository, "t.Alone")["notes"]) == ("note", ["the message is gone"])
        assert change(repository, "t.Lonely")["verdict"] == "ok"


class TestNothingChanged:
    def test_nothing_is_built(self, repository: Repository) -> None:
        """
        A comment is no change.
        """
        repository.proto("protos/a.proto", f"// A word about it.\n{OLD}")
        done = repository.interop("compat", "--base", "main")
        assert (done.returncode, repository.compared["exchanges"]) == (0, 0), done.stderr
        assert "nothing changed" in done.stdout
        assert not (repository.folder / ".interop" / "build").exists()


class TestWhatCannotShow:
    def test_a_note_alone_is_no_failure_for_want_of_exchanges(self, repository: Repository) -> None:
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "string text = 2 [deprecated = true];"))
        done = repository.interop("compat", "--base", "main")
        assert done.returncode == 0, done.stdout + done.stderr
        assert [(one["element"], one["verdict"]) for one in repository.compared["changes"]] == [("t.Ask.text", "note")]
        assert repository.compared["exchanges"] == 0


class TestSeveralBases:
    def test_each_is_compared_on_its_own(self, repository: Repository) -> None:
        """
        What is new to one is old to the other.
        """
        repository.git("tag", "v1")
        repository.proto("protos/a.proto", NEW)
        repository.commit()
        repository.git("tag", "v2")
        repository.proto("protos/a.proto", NEW.replace("int32 number", "bool number"))
        done = repository.interop("compat", "--base", "v1", "--base", "v2")
        assert done.returncode == 1, done.stderr
        assert [base["label"] for base in repository.compared["bases"]] == ["base", "base 2"]
        against = {(one["element"], one["against"]) for one in repository.compared["changes"] if one["verdict"] == "break"}
        assert {("t.Ask.number", "base"), ("t.Ask.number", "base 2"), ("t.S/Gone", "base")} <= against
        assert ("t.S/Gone", "base 2") not in against
        assert done.stderr.count("built py@head\n") == 1


class TestWhatCannotRun:
    @pytest.fixture
    def picky(self, tmp_path: Path) -> Path:
        """An implementation that is `py`, but for refusing files with a field `picky`."""
        folder = tmp_path / "picky"
        folder.mkdir()
        (folder / "interop.toml").write_text(f'name = "picky"\n[build]\ncommand = ["{sys.executable}", "-B", "build.py"]\n')
        (folder / "build.py").write_text(
            "import json, subprocess, sys\nfrom pathlib import Path\n"
            "request = json.loads(Path(sys.argv[1]).read_text())\n"
            f'subprocess.run([sys.executable, "-B", "build.py", sys.argv[1]], check=True, cwd="{PY}")\n'
            'answer = json.loads(Path(request["answer"]).read_text())\n'
            'protos = Path(request["descriptor_set"]).read_bytes()\n'
            'if b"picky" in protos:\n'
            '    file = "renamed.proto" if b"renamed.proto" in protos else "a.proto"\n'
            '    answer["errors"] = [{"file": file, "text": "no field may be called picky"}]\n'
            'Path(request["answer"]).write_text(json.dumps(answer))\n'
        )
        return folder

    def test_a_file_that_a_language_refuses_in_head_alone_is_a_break(self, repository: Repository, picky: Path) -> None:
        """
        And the other language still runs; the one that refuses it still has the base.
        """
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "string text = 2; int32 picky = 3;"))
        done = repository.interop("compat", "--base", "main", "--implementation", picky, "--strict")
        assert done.returncode == 1, done.stderr
        found = change(repository, "a.proto")
        assert (found["verdict"], found["what"]) == ("break", ["picky refuses it: no field may be called picky"])
        assert set(repository.compared["rollout"].values()) == {"breaks"}
        assert {pair for one in change(repository, "t.Ask.picky")["observations"] for pair in one["pairs"]} == {"py:py", "py:picky"}
        assert "it refuses a.proto" in str(repository.compared["bases"][0]["not_run"])

    def test_what_has_no_control_acquits_nobody(self, repository: Repository, picky: Path) -> None:
        """
        What `py` writes of head breaks `picky` of base, and there is no `picky` of head to show whether it would as well.
        """
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "bytes text = 2; int32 picky = 3;"))
        repository.interop("compat", "--base", "main", "--implementation", picky)
        rejected = [
            one for one in change(repository, "t.Ask.text")["observations"] if (one["format"], one["outcome"]) == ("binary", "rejected")
        ]
        assert [one["pairs"] for one in rejected] == [["py:picky", "py:py"]]

    def test_a_file_that_it_refused_before_is_none(self, repository: Repository, picky: Path) -> None:
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "string text = 2; int32 picky = 3;"))
        repository.commit()
        repository.git("tag", "v1")
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "string text = 2; int32 picky = 3; bool more = 4;"))
        done = repository.interop("compat", "--base", "v1", "--implementation", picky, "--strict")
        assert done.returncode == 0, done.stdout + done.stderr
        assert [one["element"] for one in repository.compared["changes"]] == ["t.Ask.more"]

    @pytest.mark.parametrize(("more", "status"), [("", 0), ("message New { int32 n = 1; }", 1)])
    def test_a_refused_file_is_none_by_another_name_unless_it_holds_more(
        self, repository: Repository, picky: Path, more: str, status: int
    ) -> None:
        refused = OLD.replace("string text = 2;", "string text = 2; int32 picky = 3;")
        repository.proto("protos/a.proto", refused)
        repository.commit()
        repository.git("tag", "v1")
        repository.git("mv", "protos/a.proto", "protos/renamed.proto")
        repository.proto("protos/renamed.proto", refused + more)
        done = repository.interop("compat", "--base", "v1", "--implementation", picky)
        assert done.returncode == status, done.stdout + done.stderr
        breaks = [one["element"] for one in repository.compared["changes"] if one["verdict"] == "break"]
        assert breaks == ["renamed.proto"] * status

    @pytest.mark.parametrize(
        ("base", "head", "status"),
        [
            ("100", "101", 3),  # what cannot be read of the base is not added
            ("101", "100", 3),  # nor is it removed where head cannot be read
            ("100", "100; optional int32 more = 102", 3),
            ("100", "100", 0),
        ],
    )
    def test_a_file_that_the_harness_cannot_read_is_compared_with_nothing(
        self, repository: Repository, base: str, head: str, status: int
    ) -> None:
        """
        Two files extend a message by one number, which protoc accepts: where the second has changed that is no pass, and
        nothing that it declares is called added or removed.
        """
        two = 'syntax = "proto2"; package t;'
        repository.write("protos/m.proto", f"{two} message M {{ extensions 100 to 200; }}")
        repository.write("protos/n.proto", f'{two} import "m.proto"; extend M {{ optional int32 x = 100; }}')
        second = f'{two} import "m.proto"; service Second {{ rpc Do(M) returns (M); }} extend M {{ optional int32 y = NUMBER; }}'
        repository.write("protos/o.proto", second.replace("NUMBER", base))
        repository.commit()
        repository.git("tag", "v1")
        repository.write("protos/o.proto", second.replace("NUMBER", head))
        repository.proto("protos/a.proto", OLD.replace("Still { bool same = 1;", "Still { bool same = 1; bool more = 2;"))
        done = repository.interop("compat", "--base", "v1")
        assert done.returncode == status, done.stdout + done.stderr
        assert [one["element"] for one in repository.compared["changes"]] == ["t.Still.more"]
        not_run = {entry["what"]: entry["why"] for entry in repository.compared["bases"][0]["not_run"]}
        assert ["duplicate extension entry" in why for why in not_run.values()] == [True] * (status == 3)
        assert [*not_run] == ["o.proto"] * (status == 3)

    def test_a_file_that_cannot_be_read_is_no_pass_where_nothing_else_has_changed(self, repository: Repository) -> None:
        fields = "".join(f"string field_{number} = {number};\n" for number in range(1, 5000))
        repository.proto("protos/large.proto", f"message Large {{ {fields} }}")
        repository.commit()
        repository.proto("protos/large.proto", f"message Large {{ {fields} string more = 5000; }}")
        done = repository.interop("compat", "--base", "HEAD")
        assert done.returncode == 3, done.stdout + done.stderr
        assert "large.proto: its declarations are not compared" in done.stdout

    @pytest.mark.parametrize(("options", "status"), [((), 0), (("--strict",), 2)])
    def test_a_toolchain_that_is_not_there_is_told(
        self, repository: Repository, tmp_path: Path, options: tuple[str, ...], status: int
    ) -> None:
        _implementation(tmp_path / "cobol", 'answer = {"unavailable": {"what": "Cobol 2023", "remedy": "install it"}}')
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "string text = 2; bool more = 3;"))
        done = repository.interop("compat", "--base", "main", "--implementation", tmp_path / "cobol", *options)
        assert done.returncode == status, done.stdout + done.stderr
        assert {"what": "cobol", "why": "Cobol 2023 is missing: install it"} in repository.compared["bases"][0]["not_run"]

    def test_without_any_pair_nothing_has_been_shown(self, repository: Repository, tmp_path: Path) -> None:
        _implementation(tmp_path / "cobol", 'answer = {"unavailable": {"what": "Cobol 2023", "remedy": "install it"}}')
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "string text = 2; bool more = 3;"))
        done = repository.interop("compat", "--base", "main", "--implementation", tmp_path / "cobol", "--client", "cobol")
        assert done.returncode == 3, done.stdout + done.stderr

    def test_a_build_that_fails(self, repository: Repository, tmp_path: Path) -> None:
        _implementation(tmp_path / "broken", 'sys.exit("main.c:7: no such function")')
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "string text = 2; bool more = 3;"))
        done = repository.interop("compat", "--base", "main", "--implementation", tmp_path / "broken")
        assert done.returncode == 3, done.stdout + done.stderr
        assert "main.c:7: no such function" in str(repository.compared["bases"][0]["not_run"])

    def test_a_build_that_fails_counts_more_than_a_break(self, repository: Repository, tmp_path: Path) -> None:
        _implementation(tmp_path / "broken", 'sys.exit("main.c:7: no such function")')
        repository.proto("protos/a.proto", OLD.replace("string text = 2;", "string text = 3;"))
        done = repository.interop("compat", "--base", "main", "--implementation", tmp_path / "broken")
        assert (done.returncode, change(repository, "t.Ask.text")["verdict"]) == (3, "break"), done.stdout + done.stderr


class TestUsage:
    def test_a_base_is_needed(self, repository: Repository) -> None:
        done = repository.interop("compat")
        assert (done.returncode, "--base is missing" in done.stderr) == (2, True)

    def test_a_ref_that_does_not_exist(self, repository: Repository) -> None:
        done = repository.interop("compat", "--base", "origin/main")
        assert (done.returncode, "git fetch origin main" in done.stderr) == (2, True)

    def test_a_replay_text_that_is_cut(self, repository: Repository) -> None:
        done = repository.interop("replay", "iv1:eJyrVkrOz0nV")
        assert (done.returncode, "cut or garbled" in done.stderr) == (2, True)


def _implementation(folder: Path, build: str) -> None:
    folder.mkdir()
    (folder / "interop.toml").write_text(f'name = "{folder.name}"\n[build]\ncommand = ["{sys.executable}", "build.py"]\n')
    head = "import json, sys\nfrom pathlib import Path\nrequest = json.loads(Path(sys.argv[1]).read_text())\nanswer = {}\n"
    (folder / "build.py").write_text(f"{head}{build}\nPath(request['answer']).write_text(json.dumps(answer))\n")


def test_what_is_no_longer_listed_is_no_removal_and_is_told_in_every_form(repository: Repository) -> None:
    """
    Nothing is built for it.
    """
    repository.proto("protos/more.proto", "message More {}")
    repository.commit()
    toml = (repository.folder / "interop.toml").read_text()
    repository.write("interop.toml", f'{toml}excludes = ["a.proto"]\n')
    done = repository.interop("compat", "--base", "HEAD")
    assert done.returncode == 0, done.stdout + done.stderr
    told = "a.proto: tested in base (HEAD, merge base"
    for form in (
        done.stdout,
        (repository.folder / ".interop/report/compat.md").read_text(),
        repository.compared["bases"][0]["warnings"][0],
    ):
        assert told in form
    assert not (repository.folder / ".interop/build").exists()
