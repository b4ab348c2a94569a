"""Build the Python driver for a proto tree: answer the requests that docs/manifest.md describes.

    python3 build.py [--api aio] REQUEST.json

It runs in the interpreter in which the driver will run. That interpreter needs grpcio and grpcio-tools.
"""

import argparse
import compileall
import importlib.metadata
import json
import marshal
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any, NoReturn

from driver.generated import GeneratedFile, can_be_imported, module_name, write_index
from reasons import Reason, explain
from versions import Unavailable, floor, last_line, too_old

from environments import NotYetMade, interpreter

HERE = Path(__file__).resolve().parent
PACKAGES = ("grpcio", "grpcio-tools", "protobuf")

# The driver's own copy of the contract gets a file name and a package that no user's tree has: a process cannot hold two
# files or messages with the same name, and names do not travel on the wire.
PRIVATE_PACKAGE = "grpc_interop_private.driver.v1"
PRIVATE_FILE = "grpc_interop_private/driver/v1/driver.proto"

GREETER = "greeter/v1/greeter.proto"

# The hand-written Greeter programs, by the API that they use.
PROGRAMS = {
    "sync": {"greeter-server": "server.py", "greeter-client": "client.py"},
    "aio": {"greeter-server": "aio_server.py", "greeter-client": "aio_client.py"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--api", choices=PROGRAMS, default="sync", help="which of grpcio's two APIs the driver uses")
    parser.add_argument("request", type=Path)
    arguments = parser.parse_args()
    request = json.loads(arguments.request.read_text())
    try:
        if request.get("settings"):
            _build_elsewhere(arguments.request, request, arguments.api)
        answer = _answer(request, arguments.api)
    except NotYetMade as later:
        answer = _not_yet(request["action"], str(later))
    except Unavailable as missing:
        answer = _unavailable(request["action"], missing)
    except OSError as error:
        sys.exit(f"the Python implementation cannot be built: {error}")
    Path(request["answer"]).write_text(json.dumps(answer, indent=2))


def _answer(request: dict[str, Any], api: str) -> dict[str, Any]:
    if request["action"] == "doctor":
        return doctor()
    if request["action"] == "export":
        from export.answer import export

        return export(request, api)
    return build(request, api)


def _unavailable(action: str, missing: Unavailable) -> dict[str, Any]:
    if action == "doctor":
        return {"tools": [{"name": missing.what, "version": "", "where": "", "ok": False, "remedy": missing.remedy}]}
    return {"unavailable": {"what": missing.what, "remedy": missing.remedy}}


def _not_yet(action: str, what: str) -> dict[str, Any]:
    remedy = "the first build makes it"
    if action == "doctor":
        return {"tools": [{"name": what, "version": "", "where": "", "ok": True, "remedy": remedy}]}
    return {"unavailable": {"what": what, "remedy": remedy}}


def _build_elsewhere(path: Path, request: dict[str, Any], api: str) -> NoReturn:
    """Let the interpreter that the settings name do everything, in place of this one. Raise Unavailable and NotYetMade."""
    python = str(interpreter(request["settings"], Path(request["cache"]), install=request["action"] == "build"))
    inner = path.with_name("request-without-settings.json")
    inner.write_text(json.dumps(request | {"settings": {}}))
    os.execv(python, [python, "-B", __file__, "--api", api, str(inner)])  # noqa: S606 - no shell is needed


def doctor() -> dict[str, Any]:
    """Return which parts of the driver's requirements this interpreter has."""
    python = {"name": "python", "version": ".".join(map(str, sys.version_info[:3])), "where": sys.executable}
    return {"tools": [python | {"ok": True, "remedy": ""}, *map(_package, PACKAGES)]}


def _package(name: str) -> dict[str, Any]:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        remedy = f"{sys.executable} -m pip install {name}"
        return {"name": name, "version": "", "where": "", "ok": False, "remedy": remedy}
    older = too_old({name: found.version})
    remedy = f"{floor(name)} is needed: {sys.executable} -m pip install --upgrade {name}" if older else ""
    return {"name": name, "version": found.version, "where": str(found.locate_file("")), "ok": not older, "remedy": remedy}


def build(request: dict[str, Any], api: str) -> dict[str, Any]:
    """Generate the code, leave out the files that cannot be used, and say how the driver is started."""
    missing = [tool for tool in map(_package, PACKAGES) if not tool["ok"]]
    if missing:
        what = f"{', '.join(tool['name'] for tool in missing)} for {sys.executable}"
        return {"unavailable": {"what": what, "remedy": missing[0]["remedy"]}}

    out = Path(request["out"])
    tree, contract = out / "tree", out / "contract"
    tree.mkdir(parents=True)
    contract.mkdir()
    _generate_contract(Path(request["contract"]["include"], request["contract"]["file"]), contract)
    _compile_driver(out / "bytecode")
    errors = _generate_tree(Path(request["descriptor_set"]), request["files"], tree, api)
    if errors:
        _check_room(out)
    _check_bytecode(out / "bytecode")

    answer: dict[str, Any] = {
        "driver": {"argv": [sys.executable, "-I", str(HERE / "driver" / "main.py"), str(out), api]},
        "programs": {},
        "errors": [{"file": file, "element": reason.element, "text": reason.text} for file, reason in errors.items()],
    }
    if GREETER in request["files"] and GREETER not in errors:
        for program, file in PROGRAMS[api].items():
            argv = [sys.executable, str(HERE / "greeter" / file)]
            answer["programs"][program] = {"argv": argv, "env": {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}}
    return answer


def _compile_driver(bytecode: Path) -> None:
    """Compile the driver into the build, since its own folder may be read-only. The result does not depend on the times
    of files."""
    sys.pycache_prefix, before = str(bytecode), sys.pycache_prefix
    for folder in ("driver", "greeter"):
        compileall.compile_dir(HERE / folder, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    sys.pycache_prefix = before


def _check_room(folder: Path) -> None:
    """Raise OSError where nothing more can be written: protoc reports a full disk like a file that it refuses."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(1 << 20))


def _check_bytecode(bytecode: Path) -> None:
    """Exit if a file was not written whole: Python itself would notice that only when it reads the file."""
    for path in bytecode.rglob("*.pyc"):
        try:
            marshal.loads(path.read_bytes()[16:])  # noqa: S302 - it was written just now, by this build
        except (EOFError, ValueError, TypeError):
            sys.exit(f"{path} was not written whole: is the disk full?")


def _generate_contract(source: Path, out: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        private = Path(scratch, PRIVATE_FILE)
        private.parent.mkdir(parents=True)
        text, packages = re.subn(r"(?m)^package [\w.]+;", f"package {PRIVATE_PACKAGE};", source.read_text())
        assert packages == 1, f"{source} does not have exactly one package statement"
        private.write_text(text)
        refusal = _protoc([f"-I{scratch}", f"--python_out={out}", PRIVATE_FILE])
    if refusal:
        sys.exit(f"the contract {source} cannot be generated:\n{refusal}")


def _generate_tree(descriptor_set: Path, files: Sequence[str], out: Path, api: str) -> dict[str, Reason]:
    """Generate the files and their imports into `out`. Return why files were refused."""
    order = _closure(descriptor_set, files)
    errors: dict[str, str] = {}
    found: list[GeneratedFile] = []
    source = [f"--descriptor_set_in={descriptor_set}"]
    own = [proto for proto in order if not _runtime_has(proto)]
    refused = _unusable_names(own) | _not_names(own, order)
    refused |= _refused(source, f"--python_out={out}", [proto for proto in own if proto not in refused])
    with_services = [proto for proto in own if order[proto].service and proto not in refused]
    refused |= _refused(source, f"--grpc_python_out={out}", with_services)
    for proto in order:
        if proto in refused:
            errors[proto] = refused[proto]
        broken = [dependency for dependency in order[proto].dependency if dependency in errors]
        if broken and proto not in errors:
            errors[proto] = f"imports {broken[0]}, which was refused"
        if proto not in errors:
            messages = _module_path(out, proto, "_pb2.py") if proto in own else ""
            services = _module_path(out, proto, "_pb2_grpc.py") if messages and order[proto].service else ""
            for path in filter(None, (messages, services)):
                _mend_imports(out / path)
            found.append(GeneratedFile(proto, messages, services))
    errors |= _drop_unusable(out, found, order, api)
    return {proto: explain(order[proto], text) for proto, text in errors.items()}


def _closure(descriptor_set: Path, files: Sequence[str]) -> dict[str, Any]:
    """Return the descriptors of the files and of everything they import, by name, imports first."""
    from google.protobuf import descriptor_pb2

    every = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.read_bytes()).file
    wanted = set(files)
    for file in reversed(every):  # imports come first in the set
        if file.name in wanted:
            wanted.update(file.dependency)
    return {file.name: file for file in every if file.name in wanted}


def _runtime_has(proto: str) -> bool:
    """Return whether the protobuf runtime itself has the module: its messages must not be registered twice."""
    import google.protobuf

    folder = "google/protobuf/"
    path = Path(google.protobuf.__path__[0], module_name(proto.removeprefix(folder)) + ".py")
    return proto.startswith(folder) and path.exists()


def _unusable_names(files: Sequence[str]) -> dict[str, str]:
    """Return why files are refused that protoc cannot be asked for, or whose module would overwrite another file's module."""
    first: dict[str, str] = {}
    refused = {}
    for proto in files:
        owner = first.setdefault(_module_file(proto), proto)
        if owner != proto:
            refused[proto] = f"its module {module_name(proto)} is also that of {owner}"
        elif proto.startswith(("-", "@")):  # no other way to write the name: with a descriptor set, `./` is another name
            refused[proto] = f"protoc takes a name that begins with {proto[0]} for an option"
    return refused


def _not_names(files: Sequence[str], order: dict[str, Any]) -> dict[str, str]:
    """Return why files are refused whose names would be read as code. protoc writes a file's name into the module
    between quotes, without escaping it, and writes module names into import statements."""
    imported = {dependency for file in order.values() for dependency in file.dependency}
    refused = {}
    for proto in files:
        if proto.startswith("/") or ".." in proto.split("/"):
            refused[proto] = "protoc would write its module outside of the folder for generated code"
        elif found := re.search(r"""['"\\\x00-\x1f\x7f]""", proto):
            refused[proto] = f"protoc for Python writes the file's name into the module as it is, where {found[0]!r} would end it"
        elif (order[proto].service or proto in imported) and not re.fullmatch(r"[\w.]*", module_name(proto)):
            refused[proto] = f"no import statement can name its module {module_name(proto)}"
    return refused


def _module_file(proto: str) -> str:
    """Return the path, without suffix, that protoc derives from a proto file's name, as the file system reads it: the
    path of `.x.proto` is `/x`, which is the same place as `x`."""
    stem = proto.removesuffix(".proto").replace("-", "_")
    return "/".join(filter(None, stem.replace(".", "/").split("/")))


def _module_path(out: Path, proto: str, suffix: str) -> str:
    """Return where protoc wrote a module, relative to `out`. Its plugins disagree about a dot in a file's name."""
    stem = proto.removesuffix(".proto")
    for path in (_module_file(proto) + suffix, stem.replace("-", "_") + suffix, stem + suffix):
        if (out / path).exists():
            return path
    raise FileNotFoundError(f"protoc wrote no {suffix} for {proto} into {out}")


def _mend_imports(module: Path) -> None:
    """Rewrite imports that Python cannot parse (`from import.v1 import x_pb2`), as users of such names must."""
    text = module.read_text()
    mended = re.sub(r"(?m)^(?:from (\S*) )?import (\w+_pb2) as (\w+)$", _mended_import, text)
    if mended != text:
        module.write_text(mended)


def _mended_import(statement: re.Match[str]) -> str:
    package, module, alias = statement.groups()
    name = module if package is None else f"{package}.{module}"
    return statement[0] if can_be_imported(name) else f'import sys; {alias} = sys.modules["{name}"]'


def _refused(source: Sequence[str], output: str, files: Sequence[str]) -> dict[str, str]:
    """Generate the files. Return the generator's message for each file that it refuses."""
    if not files or not _protoc([*source, output, *files]):
        return {}
    if len(files) == 1:
        return {files[0]: _protoc([*source, output, *files])}
    middle = len(files) // 2
    return _refused(source, output, files[:middle]) | _refused(source, output, files[middle:])


def _protoc(arguments: Sequence[str]) -> str:
    """Run protoc in this process, which is much faster than a process of its own. Return its message if it fails, else
    nothing."""
    from grpc_tools import protoc

    with tempfile.TemporaryFile() as words:
        stderr = os.dup(2)
        os.dup2(words.fileno(), 2)  # protoc writes from C++
        try:
            status = protoc.main(["protoc", *arguments])
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        words.seek(0)
        text = words.read().decode(errors="replace").strip()
    return (text or f"protoc failed with status {status}") if status else ""


def _drop_unusable(out: Path, files: list[GeneratedFile], order: dict[str, Any], api: str) -> dict[str, str]:
    """Write the index of the files that Python can import. Return why the other files cannot be used."""
    write_index(out, files)
    refused = _check(out.parent, api)
    if not refused:
        return {}
    without_messages = {proto for proto, part, _ in refused if part == "messages"}
    without_services = {proto for proto, part, _ in refused if part == "services"}
    write_index(
        out,
        [
            GeneratedFile(file.proto, file.messages, "" if file.proto in without_services else file.services)
            for file in files
            if file.proto not in without_messages
        ],
    )
    causes = {
        proto: f"imports {dependency}, which was refused"
        for proto in without_messages
        for dependency in order[proto].dependency
        if dependency in without_messages
    }
    return {proto: causes.get(proto, text) for proto, _, text in refused}


def _check(folder: Path, api: str) -> list[tuple[str, str, str]]:
    """Return what the driver's process cannot use, as file, part and reason. Raise Unavailable if it cannot start at all."""
    check = [sys.executable, "-I", str(HERE / "driver" / "check.py"), str(folder), api]
    done = subprocess.run(check, capture_output=True, text=True, errors="replace", check=False)
    print(done.stderr, file=sys.stderr, end="")
    if done.returncode != 0:
        versions = {name: _package(name)["version"] for name in PACKAGES}
        told = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise Unavailable(
            f"a grpcio-tools for grpcio {versions['grpcio']} and protobuf {versions['protobuf']}",
            f"the driver does not start with {told} of {sys.executable} ({last_line(done.stderr)}): install versions that belong together",
        )
    refused: list[tuple[str, str, str]] = json.loads(done.stdout)
    return refused


if __name__ == "__main__":
    main()
