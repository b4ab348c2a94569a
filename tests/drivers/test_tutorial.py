"""docs/adding-a-language.md shows manifests and a build that work as they stand."""

import re
from pathlib import Path

import pytest

from grpc_interop.config import find_project
from grpc_interop.drivers.build import Builder, Launch, Protos
from grpc_interop.drivers.manifest import read_manifest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-language.md").read_text(encoding="utf-8")

TOML = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
[BUILD] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def mylang(tmp_path, monkeypatch):
    """The tutorial's implementation, with a compiler and a protoc that only write down how they were called."""
    folder = tmp_path / "mylang_impl"
    folder.mkdir()
    (folder / "interop.toml").write_text(TOML[1])
    (folder / "build.py").write_text(BUILD)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("protoc", "mylangc"):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return folder


@pytest.fixture
def builder(tmp_path):
    return Builder(tmp_path / ".interop", ROOT / "proto")


def test_first_manifest_is_enough_to_begin(tmp_path):
    (tmp_path / "interop.toml").write_text(TOML[0])
    manifest = read_manifest(tmp_path)
    assert (manifest.name, manifest.driver, manifest.stack_dump_signal) == ("mylang", ("./driver",), "SIGQUIT")


def test_build_answers_with_the_driver(mylang, builder):
    built = builder.build(read_manifest(mylang), Protos(b"", ("a.proto",)))
    [out] = builder.root.glob("build/mylang-*/")
    assert built.driver == Launch((str(out / "driver"),), {})
    calls = (out / "build.log").read_text().splitlines()
    assert calls[0] == f"protoc --descriptor_set_in={out}/tree.binpb --mylang_out={out} a.proto"
    assert calls[1] == f"mylangc --cache {builder.root}/cache/mylang -o {out}/driver src {out}"


def test_missing_compiler_is_told(mylang, builder, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    manifest = read_manifest(mylang)
    assert builder.build(manifest, Protos(b"", ())).unavailable == ("Mylang 3", "install it from mylang's own packages")
    [tool] = builder.doctor(manifest)
    assert (tool.name, tool.ok, tool.remedy) == ("mylangc", False, "install Mylang 3")


def test_project_lists_implementations(mylang, tmp_path, monkeypatch):
    (tmp_path / "interop.toml").write_text(TOML[2])
    project = find_project(tmp_path)
    assert [manifest.name for manifest in project.implementations] == ["py", "go", "mylang"]
