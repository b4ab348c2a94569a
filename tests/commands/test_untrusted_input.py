"""Untrusted input, by each of the ways in: names that would be run, texts that would fill the memory."""

import resource
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hostile
from grpc_interop.commands.options import read_options
from grpc_interop.errors import UsageError
from grpc_interop.repro import exchange_text, replay
from grpc_interop.repro.case_text import decode
from grpc_interop.schema import image
from project import INTEROP, Ended, Project, environment

MIB = 1024 * 1024
MOST_MEMORY = 1024 * MIB
"""Address space that a command may have for whatever it is given, its own libraries' included: with a case of 500 bytes it
takes 300 MiB of it."""

ONE_NAME = "a\nb"
WAYS = ["text", "file", "versions", "versions in a file", "run --image", "list --image", "compressed image", "compat --base"]


def code(canary: Path) -> str:
    """A file's name that protoc's Python writes as a call into a module, which makes the file. A path's / would end it."""
    return f"a'+str(__import__('os').system({'+'.join(f'chr({ord(char)})' for char in f'touch {canary}')}))+'.proto"


def taken(way: str, project: Project, folder: Path, **names: str) -> Ended:
    """What the command says of hostile names that come this way."""
    if way == "text":
        return project.interop("replay", hostile.replay_text(**names))
    if way == "versions":
        return project.interop("replay", hostile.versions_text(**names))
    if way.endswith("file"):
        text = hostile.replay_text(**names) if way == "file" else hostile.versions_text(**names)
        return project.interop("replay", project.write("some.txt", text))
    content = hostile.descriptor_set(**names)
    file = folder / "image.binpb"
    file.write_bytes(hostile.compressed(content) if way == "compressed image" else content)
    if way == "compat --base":
        return project.interop("compat", "--base", file)
    return project.interop("list" if way == "list --image" else "run", "--image", file)


Refused = Callable[[str], str]


@pytest.fixture
def refused(project: Project, monkeypatch: pytest.MonkeyPatch, report: Path) -> Refused:
    """Replays a text that is to be refused; gives what is said."""
    monkeypatch.chdir(project.folder)

    def refuse(text: str) -> str:
        with pytest.raises(UsageError) as raised:
            replay.replay(read_options({"report": report}), text)
        return raised.value.what

    return refuse


def is_one_sentence(ended: Ended) -> bool:
    """Whether nothing but a refusal was said: what is wrong in one line, and what to do in another one."""
    lines = ended.err.splitlines()
    return ended.status == 2 and not ended.out and lines[0].startswith("interop: ") and all(line.startswith("  ") for line in lines[1:])


@pytest.mark.parametrize("way", WAYS)
def test_a_file_name_that_is_code_is_not_run(way: str, project: Project, tmp_path: Path) -> None:
    """
    Nothing is built of it, by whatever way it comes.
    """
    canary = tmp_path / "canary"
    ended = taken(way, project, tmp_path, file=code(canary))
    assert is_one_sentence(ended), ended
    assert "generators write the name into programs" in ended.err
    assert not canary.exists()


@pytest.mark.parametrize("kind", ["package", "message", "field", "service", "method", "enum", "value", "oneof"])
@pytest.mark.parametrize("text", ["a\nimport os", "a'b", 'a"b', "a b", "a;b", "x\x1b[2J"])
def test_names_of_every_kind_by_every_way(kind: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The ways all lead through one gate.
    """
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "image.binpb"
    file.write_bytes(hostile.descriptor_set(**{kind: text}))
    for way in (
        lambda: decode(hostile.replay_text(**{kind: text})),
        lambda: exchange_text.decode(hostile.versions_text(**{kind: text}), read_options({})),
        lambda: image.read_image(file),
    ):
        with pytest.raises(UsageError) as refused:
            way()
        assert refused.value.what.isprintable()


@pytest.mark.parametrize("file", ["../../../out.proto", "/tmp/out.proto", "a/../../out.proto"])
def test_nothing_is_exported_to_elsewhere(file: str, project: Project, tmp_path: Path) -> None:
    """
    A file's name that leaves its folder is refused, and nothing is written.
    """
    ended = project.interop("replay", "--export", tmp_path / "a/b/c", hostile.replay_text(file=file))
    assert is_one_sentence(ended), ended
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["pair"], "py:../../evil"),
        (["pair"], "py:\x1b[2J"),
        (["pair"], 3),
        (["plays"], 10**9),
        (["plays"], True),
        (["case", "Case", "name"], "one\n::warning::x"),
        (["case", "Case", "suite"], "\x1b]8;;x"),
        (["case", "Case", "method", "Method", "name"], "Do\nimport os"),
        (["case", "Case", "method", "Method", "name"], "Other"),
        (["case", "Case", "method", "Method", "service"], "p.Other"),
        (["case", "Case", "method", "Method", "request"], "p.Other"),
        (["case", "Case", "method", "Method", "kind"], "unary"),
        (["case", "Case", "client"], [[{"Send": {"message": "text"}}]]),
        (["case", "Case", "client"], [["cancel"]]),
        (["case", "Case", "client"], []),
        (["case", "Case", "metadata"], [{"Entry": {"key": 'x-interop-"\n', "value": {"bytes": ""}}}]),
        (["case", "Case", "metadata"], [["x-interop-a", "b"]]),
        (["case", "Case", "timeout_us"], 1.5),
        (["case", "Case", "timeout_us"], float("nan")),
        (["case", "Case", "timeout_us"], 10**400),
        (["case", "Case", "timeout_us"], "1); import os"),
        (["case", "Case", "player"], "shell"),
        (["case", "Case", "compression"], 'gzip"\n'),
        (["case", "Case", "extra_requires"], {"set": [["a"]]}),
        (["case", "Case", "why"], "\ud800"),
        (["case", "MessageCase"], {}),
        (["case"], {"MessageCase": {"suite": "messages", "name": "nothing", "type_name": "p.M"}}),
        (["protos"], "€"),
        (["protos"], ""),
        (["protos"], "\xff"),
        (["protos"], 1),
        (["contract"], 10**300),
    ],
)
def test_what_else_a_text_may_hold(path: list[str], value: Any, refused: Refused) -> None:
    """
    A value of a type, size or name that no suite yields is refused in words.
    """
    assert refused(hostile.changed(hostile.replay_text(), *path, to=value)).isprintable()


@pytest.mark.parametrize("name", ["it's", "a b", "ü", "n\nl", 'q"x', "x=1,y;z"])
def test_a_tree_of_odd_file_names_can_be_replayed(name: str, tmp_path: Path) -> None:
    """
    What a text says is let in again, whatever the files are called on a disk.
    """
    from grpc_interop.repro.case_text import encode
    from grpc_interop.repro.replay import _replay_of
    from grpc_interop.schema.catalog import Catalog

    (tmp_path / "root").mkdir()
    (tmp_path / "root" / f"{name}.proto").write_text('syntax = "proto3"; package p; message M {} service S { rpc Do(M) returns (M); }')
    catalog = Catalog.load([tmp_path / "root"], [], tmp_path / "cache")
    made = decode(encode(*_replay_of(hostile.case(), decode(hostile.replay_text()).pair, catalog)))
    assert made.case == hostile.case()


# ----------------------------------------------------------------------------------------------------------------------
# Memory
# ----------------------------------------------------------------------------------------------------------------------


def zeros(size: int, prefix: bytes = b"", suffix: bytes = b"", unit: bytes = b"\0" * 4096) -> bytes:
    """So many bytes, packed, without having them in memory."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(prefix)]
    parts += [packer.compress(unit * 256) for _ in range(size // (256 * len(unit)))]
    return b"".join([*parts, packer.compress(suffix), packer.flush()])


def text_of(prefix: str, packed: bytes) -> str:
    import base64

    return prefix + base64.urlsafe_b64encode(packed).decode().rstrip("=")


BOMBS = {
    "1 GiB of zeros": zeros(1024 * MIB),
    "1 GiB of text": zeros(1024 * MIB, b'{"contract":1,"case":"', b'"}', b"x" * 4096),
    "60 MiB of text": zeros(60 * MIB, b'{"contract":1,"case":"', b'"}', b"x" * 4096),
    "60 MiB of lists": zeros(60 * MIB, b'{"contract":1,"case":[', b"[]]}", b"[],[]," * 1024),
    "60 MiB of numbers": zeros(60 * MIB, b'{"contract":1,"case":[', b"0]}", b"0," * 2048),
    "60 MiB of texts": zeros(60 * MIB, b'{"contract":1,"case":[', b'""]}', b'"",' * 2048),
    "60 MiB of names": zeros(60 * MIB, b'{"contract":1,', b'"a":1}', b'"":1,' * 1024),
    "60 MiB of quotes": zeros(60 * MIB, b'{"contract":1,"case":"', b'"}', b'\\"' * 2048),
    "deep nesting": zeros(8 * MIB, b'{"contract":1,"case":', b"}", b"[" * 4096),
    "a huge number": zeros(8 * MIB, b'{"contract":', b"}", b"1" * 4096),
    "blanks": zeros(60 * MIB, b"{", b"}", b" " * 4096),
}


def limited(project: Project, *words: object) -> Ended:
    """The command with as much memory as it may have."""
    command = [*INTEROP, *map(str, words)]
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))  # noqa: E731
    done = subprocess.run(command, cwd=project.folder, env=environment(), text=True, capture_output=True, preexec_fn=limit, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("prefix", "what"), [*(("ic1:", what) for what in BOMBS), ("iv1:", "1 GiB of zeros"), ("iv1:", "60 MiB of lists")])
def test_a_text_that_unpacks_to_much(what: str, prefix: str, project: Project, tmp_path: Path) -> None:
    """
    Memory stays bounded, and the refusal is one sentence.
    """
    file = tmp_path / "bomb.txt"
    file.write_text(text_of(prefix, BOMBS[what]))
    ended = limited(project, "replay", file)
    assert is_one_sentence(ended), ended


@pytest.mark.parametrize("way", ["run", "compat"])
def test_an_image_that_unpacks_to_much(way: str, project: Project, tmp_path: Path) -> None:
    """
    Of 1 GiB of zeros little is read.
    """
    file = tmp_path / "image.binpb.gz"
    packer = zlib.compressobj(9, wbits=31)
    file.write_bytes(b"".join([*(packer.compress(bytes(MIB)) for _ in range(1024)), packer.flush()]))
    ended = limited(project, *(["run", "--image"] if way == "run" else ["compat", "--base"]), file)
    assert is_one_sentence(ended), ended


@pytest.mark.parametrize("what", ["ic1:", "iv1:", "", "\0"])
def test_a_file_without_end(what: str, project: Project, tmp_path: Path) -> None:
    """
    As much is read as a text may have.
    """
    file = tmp_path / "large"
    with file.open("wb") as made:
        made.write(what.encode())
        made.truncate(10 * 1024 * MIB)
    ended = limited(project, "replay", file)
    assert is_one_sentence(ended), ended


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
@pytest.mark.parametrize("way", [["replay"], ["run", "--image"], ["compat", "--base"]])
def test_a_device_is_no_file(device: str, way: list[str], project: Project) -> None:
    """
    It has no end.
    """
    ended = limited(project, *way, device)
    assert is_one_sentence(ended), ended


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["element"], 1),
        (["outcome"], "gone"),
        (["knock", "method"], "p.S/Other"),
        (["knock", "method"], []),
        (["knock", "client"], "middle"),
        (["knock", "requests"], [1]),
        (["base", "files"], ["other.proto"]),
        (["base", "files"], [["x.proto"]]),
        (["head", "protos"], "\xff"),
        (["delivery"], {"method": "p.S/Do", "role": "request", "flow": "old to new", "content": "", "filler": "", "aimed": {}, "what": ""}),
        (["parcel"], {"base": "p.M", "head": "p.N"}),
    ],
)
def test_what_else_a_text_of_two_versions_may_hold(path: list[str], value: Any, refused: Refused) -> None:
    assert refused(hostile.changed(hostile.versions_text(), *path, to=value)).isprintable()
