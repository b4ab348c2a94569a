"""Wrong usage and configuration: exit status 2, words that say what is wrong and what to do, and nothing is lost."""

import json
import socket
from pathlib import Path

import pytest

from grpc_interop.core.case import Case, Finish, Kind, Method, Receive, ReceiveToEnd, Send
from grpc_interop.core.verdict import Pair
from grpc_interop.drivers.driver import CONTRACT
from grpc_interop.repro import case_text, packing
from project import Ended, MakeImplementation, Project


def refused(ended: Ended) -> str:
    """The words with which the command refused its input."""
    assert ended.status == 2, ended
    assert "Traceback" not in ended.err + ended.out
    return ended.err


@pytest.mark.parametrize(
    ("command", "words"),
    {
        "an unknown client": (["run", "--client", "ruby"], ["unknown client 'ruby'", "known: py"]),
        "an unknown server": (["run", "--server", "ruby"], ["unknown server 'ruby'", "known: py"]),
        "an unknown suite": (["run", "--suite", "cals"], ["there is no suite 'cals'", "did you mean calls?"]),
        "-k that selects nothing": (["run", "-k", "nonsense"], ["-k 'nonsense' selects none of the cases", "interop list"]),
        "-k that selects nothing, with workers": (["run", "-n", 2, "-k", "nonsense"], ["-k 'nonsense' selects none of the cases"]),
        "-k that is no expression": (["run", "-k", "a and"], ["-k 'a and' is not an expression", "such as -k"]),
        "a list of nothing": (["list", "-k", "nonsense"], ["selects none of the cases"]),
        "a plan of nothing": (["plan", "-k", "nonsense"], ["selects none of the cases"]),
        "a shard that is none": (["run", "--shard", "3/2"], ["--shard '3/2' is not K/N", "such as --shard 2/4"]),
        "an implementation that is none": (["run", "--implementation", "nowhere"], ["nowhere", "interop.toml"]),
        "an unknown server to serve": (["serve", "ruby"], ["unknown implementation 'ruby'", "known: py"]),
        "an unknown implementation to build": (["build", "ruby"], ["unknown implementation 'ruby'", "known: py"]),
        "an unknown driver to check": (["check-driver", "ruby"], ["ruby"]),
        "a missing root": (["run", "--proto-path", "nowhere"], ["nowhere: no such folder of protos", "--proto-path"]),
        "a missing include": (["run", "--include", "nowhere"], ["nowhere: no such folder to import protos from", "--include"]),
        "a missing image": (["run", "--image", "nowhere"], ["nowhere", "--image"]),
        "an image and a root": (["run", "--image", "x", "--proto-path", "x"], ["--image and --proto-path", "give one of them"]),
        "a seed that is none": (["run", "--seed", "now"], ["'--seed'", "'now' is not a valid integer"]),
        "an image that is none": (["run", "--image", "interop.toml"], ["interop.toml is not a descriptor set", "buf build -o"]),
        "a report folder that is a file": (["run", "--report", "interop.toml"], ["--report", "is a file"]),
        "a report that is none": (["report", "nowhere"], ["nowhere is not a report folder", "interop run --report"]),
        "a replay text that is none": (["replay", "nonsense"], ["neither a replay text, nor a file, nor the id", "ic1:"]),
        "a replay text without its beginning": (["replay", "x" * 3000], ["neither a replay text, nor a file, nor the id"]),
        "a replay text of another version": (["replay", "ic2:eJyrVkrO"], ["of another version: it begins with ic2:", "reads ic1:"]),
        "a replay text of which only the start is left": (["replay", "ic1:"], ["the replay text is cut or garbled"]),
        "a file without a replay text": (["replay", "interop.toml"], ["interop.toml: 'implementations", "is not a replay text", "ic1:"]),
        "a file that cannot be read": (["replay", "/proc/self/mem"], ["/proc/self/mem: cannot be read: "]),
        "figures into no folder": (["bench", "--json", "nowhere/x.json"], ["--json nowhere/x.json: there is no folder nowhere"]),
        "an unknown command": (["rum"], ["No such command 'rum'"]),
        "an unknown option": (["run", "--serer", "py"], ["No such option", "--server"]),
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_words(project: Project, command: str, words: tuple[list[str], list[str]]) -> None:
    """
    Each wrong word of a command line is named, with what to do about it.
    """
    given, expected = words
    said = refused(project.interop(*given))
    assert [word for word in expected if word not in said] == []


@pytest.mark.parametrize(
    ("manifest", "words"),
    {
        "no name": ('[run]\ndriver = ["x"]', ["the key `name` is missing", 'such as name = "go"']),
        "a misspelt key": ('name = "x"\n[build]\ncomand = ["x"]', ["unknown key `build.comand`", "did you mean `command`?"]),
        "a missing key": ('name = "x"\n[build]\ntools = ["x"]', ["the key `build.command` is missing", "such as command ="]),
        "a value of another type": ('name = "x"\n[run]\ndriver = "x"', ["`run.driver` must be a list, not 'x'"]),
        "nothing to run": ('name = "x"', ["nothing to run"]),
        "no TOML": ("name = x", ["not TOML", "line 1"]),
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_manifests(project: Project, tmp_path: Path, manifest: str, words: tuple[str, list[str]]) -> None:
    """
    Of a wrong manifest the file and the key are named, and the nearest one that is known.
    """
    text, expected = words
    (tmp_path / "interop.toml").write_text(text)
    said = refused(project.interop("run", "--implementation", tmp_path))
    assert [word for word in [str(tmp_path / "interop.toml"), *expected] if word not in said] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[protos]\nroot = ["x"]', ["unknown key `protos.root`", "did you mean `roots`?"]),
        ('[protos]\nroots = "x"', ["`protos.roots` must be a list, not 'x'"]),
        ("[protos]\nroots = [1]", ["`protos.roots` must be a list of texts, not [1]"]),
        ("suites = [1]", ["`suites` must be a list of texts, not [1]"]),
        ('seed = "1"', ["`seed` must be a number, not '1'"]),
        ("seed = ", ["not TOML"]),
        ("", ["no protos: neither --proto-path nor interop.toml names any", "such as: interop run --proto-path proto"]),
    ],
)
def test_project_files(project: Project, tmp_path: Path, text: str, words: list[str]) -> None:
    """
    A wrong `interop.toml` of a project is refused like a wrong manifest.
    """
    (tmp_path / "interop.toml").write_text(text)
    said = refused(project.interop("run", cwd=tmp_path))
    assert [word for word in words if word not in said] == []


def test_a_proto_that_does_not_compile(project: Project, tmp_path: Path) -> None:
    """
    protoc's own words are shown, with file and line; of a missing import also where it was looked for.
    """
    (tmp_path / "bad.proto").write_text('syntax = "proto3";\npackage bad;\nmessage M { string name = 0; }\n')
    assert "bad.proto:3:27: Field numbers must be positive integers." in refused(project.interop("list", "--proto-path", tmp_path))
    (tmp_path / "bad.proto").write_text('syntax = "proto3";\nimport "other/thing.proto";\n')
    said = refused(project.interop("list", "--proto-path", tmp_path))
    assert "other/thing.proto: looked for in" in said and "--include" in said and str(tmp_path) in said


def test_a_link_to_nothing(project: Project, tmp_path: Path) -> None:
    """
    It is named with what it leads to; where it is excluded, the other files are run.
    """
    (tmp_path / "good.proto").write_text('syntax = "proto3";\npackage good;\nmessage M {}\n')
    (tmp_path / "broken.proto").symlink_to("gone.proto")
    said = refused(project.interop("list", "--proto-path", tmp_path))
    assert f"{tmp_path / 'broken.proto'} is a link to nothing: it leads to gone.proto" in said
    assert "remove the link" in said
    project_file = f'implementations = ["py"]\n[protos]\nroots = ["{tmp_path}"]\nexcludes = ["broken.proto"]\n'
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "interop.toml").write_text(project_file)
    assert project.interop("list", cwd=tmp_path / "own").status == 0


def test_a_descriptor_that_is_too_large(project: Project, tmp_path: Path) -> None:
    """
    protoc takes more fields than Python's protobuf has room for. Where that leaves nothing to run, the reason is told.
    """
    fields = "".join(f"string field_{number} = {number};\n" for number in range(1, 5000))
    (tmp_path / "large.proto").write_text(f'syntax = "proto3";\nmessage Large {{\n{fields}}}\n')
    for command in ("run", "list"):
        said = refused(project.interop(command, "--proto-path", tmp_path))
        assert "large.proto cannot be driven: " in said and "exceeded maximum size" in said


def test_no_toolchain_and_no_way_to_get_it(project: Project, report: Path) -> None:
    """
    An implementation that is asked for and cannot be had here is wrong configuration, and says what would help.
    """
    only_go = ["--implementation", "go", "--client", "go", "--server", "go", "-k", "SayHello"]
    ended = project.interop("run", *only_go, "--report", report, env={"GO": "/nonexistent"})
    assert ended.status == 2
    assert "/nonexistent" in ended.out and "set GO=/path/to/go" in ended.out


@pytest.fixture
def replay_text() -> str:
    """Of a case on py:py; what it holds does not matter here."""
    method = Method("greeter.v1.Greeter", "SayHello", Kind.UNARY, "greeter.v1.HelloRequest", "greeter.v1.HelloReply")
    case = Case("calls", "one", method, client=((Send(b""), ReceiveToEnd()),), server=((Receive(), Send(b""), Finish()),))
    return case_text.encode(case, Pair("py", "py"), b"")


def test_a_replay_text_that_was_cut(project: Project, tmp_path: Path, replay_text: str) -> None:
    """
    A text that lost its end in a mail or a terminal says so.
    """
    said = refused(project.interop("replay", replay_text[:-20]))
    assert "the replay text is cut or garbled" in said and "copy the whole text" in said
    file = tmp_path / "cut.txt"
    file.write_text(replay_text[:-20])
    assert f"{file}: the replay text is cut or garbled" in refused(project.interop("replay", file))


def test_a_replay_text_of_another_contract(project: Project, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """
    A text of another version of the driver contract says which harness can replay it.
    """
    monkeypatch.setattr(packing, "CONTRACT", CONTRACT + 1)
    said = refused(project.interop("replay", request.getfixturevalue("replay_text")))
    assert f"of version {CONTRACT + 1} of the driver contract; this harness speaks {CONTRACT}" in said


def test_a_port_in_use(project: Project) -> None:
    """
    `serve` names the port and proposes another.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(project.interop("serve", "py", "--port", port))
    assert f"is port {port} in use? choose another, or 0" in said


def test_a_driver_of_another_contract(project: Project, reference: MakeImplementation, report: Path) -> None:
    """
    A driver that speaks another version of the contract is named, with both versions; other pairs run.
    """
    old = reference("old", "speaks_another_version")
    ended = project.interop("run", "--implementation", old, "--server", "py", "-k", "SayHello/one", "--report", report)
    assert ended.status == 2
    assert f"the old client speaks version {CONTRACT + 1} of the driver contract; this harness speaks {CONTRACT}" in ended.out
    assert "1 case: 1 passed" in ended.out
    assert f"speaks version {CONTRACT + 1}" in refused(project.interop("serve", "--implementation", old, "old"))


def test_a_driver_without_an_application(project: Project, reference: MakeImplementation) -> None:
    """
    `serve` does not blame the port for what the driver cannot do.
    """
    said = refused(project.interop("serve", "--implementation", reference("plain"), "plain", "--port", 1))
    assert "application" in said and "port" not in said


def test_a_report_of_another_schema(project: Project, tmp_path: Path, report: Path) -> None:
    """
    A report folder of an older or newer version is not half understood.
    """
    (tmp_path / "results.json").write_text(json.dumps({"schema": 0}))
    said = refused(project.interop("report", tmp_path, "--report", report))
    assert f"{tmp_path / 'results.json'} has schema 0, and this version reads schema 1" in said
    assert not report.exists()


@pytest.mark.parametrize("command", [["run"], ["run", "-n", 2], ["report"], ["replay"]], ids=lambda words: " ".join(map(str, words)))
def test_a_report_folder_that_cannot_be_written(
    project: Project, tmp_path: Path, report: Path, replay_text: str, command: list[object]
) -> None:
    """
    Whoever gives a folder below a file, or where nothing may be written, is told before anything is played.
    """
    file = tmp_path / "file"
    file.write_text("in the way")
    project.interop("run", "-k", "SayHello/one", "--client", "py", "--suite", "calls", "--report", report)
    what = {"report": [report], "replay": [replay_text], "run": ["-k", "SayHello/one"]}[str(command[0])]
    said = refused(project.interop(*command, *what, "--report", file / "below"))
    assert f"--report {file / 'below'}: nothing can be written there: Not a directory" in said
    assert "give another folder" in said


def test_nothing_is_lost(project: Project, report: Path) -> None:
    """
    What an earlier run reported is still there after a wrong command line.
    """
    project.interop("run", "-k", "SayHello/one", "--report", report)
    before = {path.name: path.read_bytes() for path in report.iterdir() if path.is_file()}
    assert "results.json" in before
    refused(project.interop("run", "-k", "nonsense", "--report", report))
    assert before == {path.name: path.read_bytes() for path in report.iterdir() if path.is_file()}
