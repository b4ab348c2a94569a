"""Build implementations, each by its own toolchain, keyed by content. docs/manifest.md describes request and answer."""

import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpc_interop.drivers import build_cache
from grpc_interop.drivers.manifest import Manifest, SettingKind
from grpc_interop.drivers.process import Process, ending, environment
from grpc_interop.errors import BuildError
from grpc_interop.files import temporary

REQUEST_SCHEMA = 1

LOG = "build.log"

LITTLE_ROOM = 1 << 20
"""Free bytes below which a disk counts as full: a build that failed on a full disk gives back a little at its end."""


@dataclass(frozen=True, slots=True)
class Protos:
    """The protos with which the drivers are built."""

    descriptor_set: bytes  # the files and all their imports
    files: tuple[str, ...]  # the files for which code is generated


@dataclass(frozen=True, slots=True)
class Launch:
    """A command, and the variables that it adds to its environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A proto that a language's generator or compiler refused."""

    file: str
    text: str  # the tool's own words
    element: str = ""  # the element to blame, by the names of schema/source_lines.py, where the build knows it


@dataclass(frozen=True, slots=True)
class Built:
    """An implementation, ready to start."""

    manifest: Manifest
    driver: Launch | None = None
    programs: Mapping[str, Launch] = field(default_factory=dict)
    refused: tuple[RefusedFile, ...] = ()
    unavailable: tuple[str, str] | None = None  # the missing tool and the remedy, where it could not be built
    fresh: bool = False  # built now, not found from before

    @property
    def why_unavailable(self) -> str:
        """Return the missing tool and the remedy in a line; empty when it was built."""
        if self.unavailable is None:
            return ""
        what, remedy = self.unavailable
        return f"{what} is missing" + (f": {remedy}" if remedy else "")


@dataclass(frozen=True, slots=True)
class Tool:
    """One line of `interop doctor`."""

    name: str
    version: str
    where: str
    ok: bool
    remedy: str


class Builder:
    """Builds below `root` (`.interop`): results under `build/`, the implementations' own caches under `cache/`."""

    def __init__(self, root: Path, contract: Path) -> None:
        """`contract` is the folder that holds interop/driver/v1/driver.proto."""
        self.root = root
        self.contract = contract
        self._running: set[Process] = set()
        self._cancelled = threading.Event()

    def build(self, manifest: Manifest, protos: Protos) -> Built:
        """Build, or find the result of an equal build. Raises BuildError with the log's last lines."""
        try:
            return self._build(manifest, protos)
        except OSError as error:
            where = error.filename or self.root
            raise BuildError(f"{manifest.name} cannot be built: {where}: {error.strerror}") from error

    def _build(self, manifest: Manifest, protos: Protos) -> Built:
        fixed = Built(manifest, _launch_here(manifest, manifest.driver), _programs_here(manifest))
        if not manifest.build_command:
            return fixed
        out = self._out(manifest, protos)
        if not os.access(out.parent, os.W_OK) and (kept := build_cache.find(out)) is not None:
            # Nobody makes or removes builds there, so no lock is needed.
            return _built(fixed, kept, fresh=False)
        with build_cache.locked(out):
            if (kept := build_cache.find(out)) is not None:
                build_cache.mark_used(out)
                return _built(fixed, kept, fresh=False)
            answer = self._run(manifest, protos, out)
            built = _built(fixed, answer, fresh=True)
            if built.unavailable is None:
                # Only after the answer was read: a build whose answer cannot be used must not count as done.
                build_cache.finish(out, answer)
        build_cache.clear(out.parent, manifest.name)
        return built

    def keeps(self, manifest: Manifest, protos: Protos) -> bool:
        """Return whether `build` would find the result of an equal build."""
        return not manifest.build_command or build_cache.find(self._out(manifest, protos)) is not None

    def doctor(self, manifest: Manifest) -> list[Tool]:
        """Return the tools of the implementation. Raises BuildError when its command fails."""
        if not manifest.build_command:
            return []
        scratch = self.root / "doctor" / manifest.name
        scratch.mkdir(parents=True, exist_ok=True)
        answer = self._ask(manifest, scratch, {"action": "doctor"})
        return [Tool(t["name"], t["version"], t["where"], t["ok"], t.get("remedy", "")) for t in answer.get("tools", [])]

    def export(self, manifest: Manifest, protos: Protos, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to an export request: a case's side as a program that stands alone. `request` is the part that describes
        the program. Raises BuildError."""
        if not manifest.build_command:
            raise BuildError(f"{manifest.name} cannot write a program: its manifest has no [build] command")
        # Several processes may export at the same time.
        with tempfile.TemporaryDirectory(prefix=f"export-{manifest.name}-", dir=temporary.place() or self.root) as folder:
            descriptors = Path(folder, "tree.binpb")
            descriptors.write_bytes(protos.descriptor_set)
            whole = {"action": "export", "descriptor_set": str(descriptors), "files": list(protos.files), **request}
            return self._ask(manifest, Path(folder), whole)

    def cancel(self) -> None:
        """Kill all builds under way, which end in BuildError, and start no others."""
        self._cancelled.set()
        for process in list(self._running):
            process.kill()

    def _run(self, manifest: Manifest, protos: Protos, out: Path) -> dict[str, Any]:
        if out.exists():
            # An interrupted or damaged build: nobody knows which of its files are missing.
            shutil.rmtree(out)
        out.mkdir(parents=True)
        descriptors = out / "tree.binpb"
        descriptors.write_bytes(protos.descriptor_set)
        request = {
            "action": "build",
            "contract": {"include": str(self.contract), "file": "interop/driver/v1/driver.proto"},
            "descriptor_set": str(descriptors),
            "files": list(protos.files),
            "out": str(out),
        }
        try:
            return self._ask(manifest, out, request)
        except BuildError:
            if _is_full(out):
                # An incomplete build is of no use, and the report may need its space.
                _empty_but_for_log(out)
            raise

    def _ask(self, manifest: Manifest, scratch: Path, request: dict[str, Any]) -> dict[str, Any]:
        cache = self.root / "cache" / (manifest.variant_of or manifest.name)
        cache.mkdir(parents=True, exist_ok=True)
        answer, log = scratch / "answer.json", scratch / LOG
        answer.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
        path = scratch / "request.json"
        settings = {setting.key: setting.value for setting in manifest.settings}
        path.write_text(
            json.dumps({"schema": REQUEST_SCHEMA, **request, "settings": settings, "cache": str(cache), "answer": str(answer)}, indent=1),
            encoding="utf-8",
        )
        if self._cancelled.is_set():
            raise BuildError(f"{manifest.name}: not built, since the run was stopped")
        process = Process(
            _here(manifest, (*manifest.build_command, str(path))),
            env=environment({"TMPDIR": place} if (place := temporary.place()) else {}, names=manifest.build_env),
            cwd=manifest.folder,
            log=log,
        )
        self._running.add(process)
        if self._cancelled.is_set():
            # `cancel` may have gone through `_running` just before.
            process.kill()
        try:
            status = process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            self._running.discard(process)
        process.close()
        if status != 0 or not answer.exists():
            how = ending(status) if status != 0 else "wrote no answer"
            full = f"; the disk of {scratch} is full" if _is_full(scratch) else ""
            raise BuildError(f"{manifest.name}: the build command {how}{full}; its last words ({log}):\n{process.tail(30)}")
        try:
            content: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BuildError(f"{manifest.name}: the build's answer {answer} is not JSON: {error}") from None
        return content

    def _out(self, manifest: Manifest, protos: Protos) -> Path:
        return self.root / "build" / f"{manifest.name}-{self._key(manifest, protos)}"

    def _key(self, manifest: Manifest, protos: Protos) -> str:
        digest = hashlib.sha256()
        for part in self._key_parts(manifest, protos):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()[:20]

    def _key_parts(self, manifest: Manifest, protos: Protos) -> Iterator[bytes]:
        """Yield everything on which the result depends. That includes its place, since it may hold absolute paths."""
        yield str(self.root).encode()
        yield str(manifest.path).encode()
        yield (self.contract / "interop/driver/v1/driver.proto").read_bytes()
        yield protos.descriptor_set
        yield "\n".join(protos.files).encode()
        for name in manifest.build_env:
            yield f"{name}={os.environ.get(name)}".encode()
        for tool in (manifest.build_command[0], *manifest.tools):
            yield _identity(tool)
        for setting in manifest.settings:
            yield f"{setting.key}={setting.value}".encode()
            if setting.kind is SettingKind.FILE:
                yield Path(setting.value).read_bytes()
            elif setting.kind is SettingKind.PROGRAM:
                yield _identity(setting.value)
        files = {manifest.path}
        for pattern in manifest.sources:
            files.update(path for path in manifest.folder.glob(pattern) if path.is_file())
        for path in sorted(files):
            yield str(path.relative_to(manifest.folder)).encode()
            yield path.read_bytes()


def _is_full(folder: Path) -> bool:
    """Return whether the disk of a folder is full, or nearly full."""
    return shutil.disk_usage(folder).free <= LITTLE_ROOM


def _empty_but_for_log(out: Path) -> None:
    for path in out.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOG:
            path.unlink(missing_ok=True)


def _identity(program: str) -> bytes:
    """Return bytes that change when a program on PATH is replaced."""
    path = shutil.which(program, path=environment()["PATH"])
    stat = Path(path).stat() if path else None
    return f"{program}:{path and os.path.realpath(path)}:{stat and (stat.st_size, stat.st_mtime_ns)}".encode()


def _built(fixed: Built, answer: Mapping[str, Any], *, fresh: bool) -> Built:
    """Return the implementation that a build's answer describes. Raises BuildError for an answer that breaks docs/manifest.md."""
    name = fixed.manifest.name
    try:
        missing = answer.get("unavailable")
        if missing is not None:
            return Built(fixed.manifest, unavailable=(missing["what"], missing.get("remedy", "")))
        driver = answer.get("driver")
        programs = {key: _launch(value) for key, value in answer.get("programs", {}).items()}
        refused = tuple(RefusedFile(error["file"], error["text"], str(error.get("element", ""))) for error in answer.get("errors", []))
        return Built(
            fixed.manifest, _launch(driver) if driver is not None else fixed.driver, {**programs, **fixed.programs}, refused, fresh=fresh
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BuildError(f"{name}: the build's answer is not as docs/manifest.md says: {error!r}") from None


def _launch(value: Mapping[str, Any]) -> Launch:
    return Launch(tuple(value["argv"]), dict(value.get("env", {})))


def _launch_here(manifest: Manifest, words: Sequence[str]) -> Launch | None:
    return Launch(_here(manifest, words), dict(manifest.run_env)) if words else None


def _programs_here(manifest: Manifest) -> dict[str, Launch]:
    return {name: Launch(_here(manifest, words), dict(manifest.run_env)) for name, words in manifest.programs}


def _here(manifest: Manifest, words: Sequence[str]) -> tuple[str, ...]:
    """Return a command whose program may lie in the manifest's folder."""
    beside = manifest.folder / words[0]
    return (str(beside) if beside.is_file() else words[0], *words[1:])
