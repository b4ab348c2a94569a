"""A service's own versions of a runtime, apart from the harness' own environment, against the current ones."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def run(folder: Path, name: str, configuration: str) -> dict[str, Any]:
    """Runs an implementation of the folder's interop.toml against the one that it was made from, both ways, and gives
    results.json."""
    (folder / "interop.toml").write_text(f"[protos]\nroots = [{json.dumps(str(ROOT / 'proto'))}]\n{configuration}")
    of_ours = ROOT / ".interop" / "cache"  # a cold build of grpc-go takes minutes
    if of_ours.is_dir():
        (folder / ".interop").mkdir()
        (folder / ".interop" / "cache").symlink_to(of_ours)
    command = [sys.executable, "-m", "grpc_interop.cli", "run", "--suite", "calls", "-k", "Greeter"]
    base = name.rpartition("-")[0]
    sides = [word for side in ("--client", "--server") for each in (base, name) for word in (side, each)]
    done = subprocess.run([*command, *sides], cwd=folder, capture_output=True, text=True, check=False, env=os.environ | {"CI": "true"})
    assert done.returncode == 0, done.stdout + done.stderr
    results: dict[str, Any] = json.loads((folder / ".interop/report/results.json").read_text())
    assert {(cell["client"], cell["server"]) for cell in results["cells"]} == {(a, b) for a in (base, name) for b in (base, name)}
    assert results["totals"]["passed"] > 0
    return results


def versions(results: dict[str, Any], name: str) -> tuple[str, str]:
    [found] = [one for one in results["implementations"] if one["name"] == name]
    return found["grpc"], found["protobuf"]


def test_older_grpcio_and_protobuf_from_a_requirements_file(tmp_path: Path) -> None:
    """Such as cannot be installed beside the harness' own grpcio-tools. The file names no grpcio-tools: those are found."""
    (tmp_path / "requirements.txt").write_text("grpcio==1.66.2\nprotobuf==5.29.5\n")
    results = run(tmp_path, "py-old", '[[implementation]]\nname = "py-old"\nfrom = "py"\nsettings.requirements = "requirements.txt"\n')
    assert versions(results, "py-old") == ("1.66.2", "5.29.5")
    command = [sys.executable, "-m", "grpc_interop.cli", "replay", "calls/greeter.v1.Greeter/SayHello/one[py:py-old]"]
    subprocess.run([*command, "--export", "out"], cwd=tmp_path, check=True)
    assert "grpcio==1.66.2\n" in (tmp_path / "out/server/requirements.txt").read_text()
    assert "grpcio==1.66.2\n" not in (tmp_path / "out/client/requirements.txt").read_text()


OLDEST = ("1.60.0", "4.25.0")


@pytest.mark.parametrize(
    ("name", "grpcio", "protobuf"),
    [
        pytest.param("py-oldest", *OLDEST, id="oldest"),
        pytest.param("py-aio-oldest", *OLDEST, id="aio_oldest", marks=pytest.mark.slow),
        # pip takes 6.30 for new enough for the code of grpcio-tools 1.73, which refuses it: https://github.com/grpc/grpc/issues/39912
        pytest.param("py-skewed", "1.73.0", "6.30.0", id="protobuf_older_than_protoc"),
        # And 5.26 for too new for any grpcio-tools of that time, though it takes what they write.
        pytest.param("py-ahead", "1.62.3", "5.26.1", id="protobuf_newer_than_protoc", marks=pytest.mark.slow),
    ],
)
def test_versions_that_were_not_released_together(tmp_path: Path, name: str, grpcio: str, protobuf: str) -> None:
    """The build finds grpcio-tools whose code both take."""
    (tmp_path / "requirements.txt").write_text(f"grpcio=={grpcio}\nprotobuf=={protobuf}\n")
    base = name.rpartition("-")[0]
    results = run(tmp_path, name, f'[[implementation]]\nname = "{name}"\nfrom = "{base}"\nsettings.requirements = "requirements.txt"\n')
    assert versions(results, name) == (grpcio, protobuf)


def test_an_interpreter_whose_packages_do_not_go_together(tmp_path: Path) -> None:
    """Where the build runs in an environment that somebody else made, it says so in place of a traceback."""
    made = tmp_path / "made"
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    packages = ["grpcio==1.73.0", "grpcio-tools==1.73.0", "protobuf==6.30.0"]
    subprocess.run([made / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *packages], check=True)
    (tmp_path / "tree.binpb").write_bytes(b"")
    request = {
        "schema": 1,
        "action": "build",
        "contract": {"include": str(ROOT / "proto"), "file": "interop/driver/v1/driver.proto"},
        "descriptor_set": str(tmp_path / "tree.binpb"),
        "files": [],
        "out": str(tmp_path / "out"),
        "cache": str(tmp_path),
        "answer": str(tmp_path / "answer.json"),
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    build = [made / "bin" / "python", "-B", ROOT / "py_impl" / "build.py", tmp_path / "request.json"]
    subprocess.run(build, check=True, capture_output=True)
    missing = json.loads((tmp_path / "answer.json").read_text())["unavailable"]
    assert missing["what"] == "a grpcio-tools for grpcio 1.73.0 and protobuf 6.30.0"
    assert "grpcio-tools 1.73.0" in missing["remedy"] and "6.31" in missing["remedy"]
    assert "\n" not in missing["remedy"]


ZEROS = """
import sys
from google.protobuf import any_pb2, descriptor_pb2, type_pb2
sys.path.insert(0, sys.argv[1])
from driver.protojson import written
field = descriptor_pb2.FieldDescriptorProto(name="a", json_name="")
packed = any_pb2.Any()
packed.Pack(descriptor_pb2.DescriptorProto(field=[field]))
for message in (field, packed, type_pb2.Type(fields=[type_pb2.Field()]), descriptor_pb2.FileOptions()):
    for emit_zero in (False, True):
        print(written(message, emit_zero))
"""


def test_zero_values_are_written_alike_by_every_protobuf(tmp_path: Path) -> None:
    """4.25 has another option for it, which prints also what proto2's fields are when they are not set."""
    made = tmp_path / "old"
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    pip = [made / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, f"grpcio=={OLDEST[0]}", f"protobuf=={OLDEST[1]}"], check=True)
    script = tmp_path / "zeros.py"
    script.write_text(ZEROS)
    ask = [subprocess.check_output([python, script, ROOT / "py_impl"], text=True) for python in (made / "bin" / "python", sys.executable)]
    assert ask[0] == ask[1]
    assert '"nestedType": []' in ask[0] and '"number"' not in ask[0].splitlines()[1]


@pytest.mark.slow  # grpc-go is compiled once more
def test_older_grpc_go_and_protobuf_from_a_go_mod(tmp_path: Path) -> None:
    """Though our own tools would require newer ones."""
    (tmp_path / "go.mod").write_text(
        "module example.com/service\n\ngo 1.22\n\nrequire (\n\tgoogle.golang.org/grpc v1.64.0\n\tgoogle.golang.org/protobuf v1.34.0\n)\n"
    )
    results = run(tmp_path, "go-old", '[[implementation]]\nname = "go-old"\nfrom = "go"\nsettings.go_mod = "go.mod"\n')
    assert versions(results, "go-old") == ("1.64.0", "1.34.0")
    command = [sys.executable, "-m", "grpc_interop.cli", "replay", "calls/greeter.v1.Greeter/SayHello/one[go:go-old]"]
    subprocess.run([*command, "--export", "out"], cwd=tmp_path, check=True)
    assert "google.golang.org/grpc v1.64.0\n" in (tmp_path / "out/server/go.mod").read_text()
    assert "v1.64.0" not in (tmp_path / "out/client/go.mod").read_text()
    for side in ("client", "server"):
        subprocess.run(["go", "vet", "."], cwd=tmp_path / "out" / side, check=True)


@pytest.mark.parametrize(
    ("requirements", "words"),
    [
        ("protobuf==4.24.4\ngrpcio==1.60.0\n", "protobuf 4.25 or newer (requirements.txt gives 4.24.4) is missing"),
        ("protobuf==4.25.3\ngrpcio==1.59.5\n", "grpcio 1.60 or newer (requirements.txt gives 1.59.5) is missing"),
        ("grpcio==1.73.0\nprotobuf==6.30.0\ngrpcio-tools==1.73.0\n", "they refuse the code of grpcio-tools 1.73.0"),
        ("grpcio==9.9.9\n", "the requirement grpcio==9.9.9"),
        ("protobuf==6.30.0\n", "grpcio among what requirements.txt asks for is missing"),
    ],
    ids=["protobuf_too_old", "grpcio_too_old", "tools_too_new", "no_such_version", "no_grpcio"],
)
def test_versions_that_cannot_be_used_are_refused_in_one_line(tmp_path: Path, requirements: str, words: str) -> None:
    """With what is needed in their place; what was installed for nothing is removed."""
    (tmp_path / "requirements.txt").write_text(requirements)
    text = f'[protos]\nroots = ["{ROOT / "proto"}"]\n[[implementation]]\nname = "mine"\nfrom = "py"\n'
    (tmp_path / "interop.toml").write_text(f'{text}settings.requirements = "requirements.txt"\n')
    command = [sys.executable, "-m", "grpc_interop.cli", "build", "mine"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    [_, line] = done.stderr.replace(f"{tmp_path}/", "").splitlines()
    assert line.startswith("mine: ") and words in line
    assert not list(tmp_path.glob(".interop/cache/py/environment-*/"))


@pytest.mark.parametrize(
    ("requires", "words"),
    [
        ("google.golang.org/grpc v1.63.3", "google.golang.org/grpc 1.64 or newer (go.mod gives 1.63.3) is missing"),
        ("google.golang.org/protobuf v1.33.0", "google.golang.org/protobuf 1.34 or newer (go.mod gives 1.33.0) is missing"),
    ],
    ids=["grpc", "protobuf"],
)
def test_go_modules_that_are_too_old_are_refused_in_one_line(tmp_path: Path, requires: str, words: str) -> None:
    """Before anything is compiled, whose errors would say nothing to a user."""
    (tmp_path / "go.mod").write_text(f"module example.com/service\n\ngo 1.22\n\nrequire {requires}\n")
    text = f'[protos]\nroots = ["{ROOT / "proto"}"]\n[[implementation]]\nname = "mine"\nfrom = "go"\nsettings.go_mod = "go.mod"\n'
    (tmp_path / "interop.toml").write_text(text)
    for command, status in (("build", 2), ("doctor", 3)):
        asked = [sys.executable, "-m", "grpc_interop.cli", command, *(["mine"] if command == "build" else [])]
        done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
        told = (done.stdout + done.stderr).replace(f"{tmp_path}/", "")
        assert done.returncode == status, told
        assert words.removesuffix(" is missing") in told
    assert not list(tmp_path.glob(".interop/cache/go/objects"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('settings.python = "python-that-is-nowhere"', "the interpreter python-that-is-nowhere is missing"),
        ('settings.python = "bare/bin/python"', "grpcio for"),
    ],
)
def test_what_cannot_be_had_is_named_with_its_remedy(tmp_path: Path, settings: str, words: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    text = f'[protos]\nroots = ["{ROOT / "proto"}"]\n[[implementation]]\nname = "mine"\nfrom = "py"\n{settings}\n'
    (tmp_path / "interop.toml").write_text(text)
    command = [sys.executable, "-m", "grpc_interop.cli", "build", "mine"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert "settings." in done.stderr
