"""An implementation's manifest, `interop.toml`, which docs/manifest.md describes."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from grpc_interop.errors import UsageError

FILE = "interop.toml"
"""The name of a folder's manifest; a folder with several implementations has others beside it, `interop-<variant>.toml`."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

_KEYS: dict[str, dict[str, type]] = {
    "": {"name": str, "description": str, "build": dict, "settings": dict, "run": dict, "programs": dict},
    "build": {"command": list, "sources": list, "tools": list, "env": list},
    "run": {"driver": list, "env": dict, "stack_dump_signal": str, "debugged": bool},
}


class SettingKind(StrEnum):
    """The kind of a setting's value. The harness knows nothing else about a setting."""

    TEXT = "text"
    FILE = "file"  # passed on as an absolute path; a build depends on its content
    PROGRAM = "program"  # a path, or a name on PATH; another program makes a rebuild necessary


@dataclass(frozen=True, slots=True)
class Setting:
    """A project's choice for an implementation's build, such as another version of a library."""

    key: str
    kind: SettingKind
    value: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """An implementation, before it is built."""

    name: str
    path: Path  # the manifest's file; commands run in its folder
    description: str = ""
    build_command: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    build_env: tuple[str, ...] = ()
    driver: tuple[str, ...] = ()
    run_env: tuple[tuple[str, str], ...] = ()
    stack_dump_signal: str = ""
    debugged: bool = False
    programs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    known_settings: tuple[tuple[str, SettingKind], ...] = ()
    settings: tuple[Setting, ...] = ()
    variant_of: str = ""  # the name of the implementation that differs from this one only in its settings

    @property
    def folder(self) -> Path:
        return self.path.parent


def read_manifest(where: Path) -> Manifest:
    """Read a manifest: a file, or `interop.toml` in a folder. Raises UsageError that names file, key and the nearest known key."""
    path = where if where.is_file() else where / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{where}: no {FILE} there", "an implementation is a folder with a manifest: docs/manifest.md") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    check_keys(path, "", table, _KEYS[""])
    for part in ("build", "run"):
        check_keys(path, part, table.get(part, {}), _KEYS[part])
    return _manifest(path, _name(path, table), table)


def variant(base: Manifest, path: Path, table: Mapping[str, Any]) -> Manifest:
    """Return an implementation that is `base` with its own settings, from a table `[[implementation]]` in a project's file. Paths
    in the settings are relative to that file. Raises UsageError."""
    return replace(
        base,
        name=_name(path, table),
        description=table.get("description", f"{base.name}, with settings of its own"),
        settings=tuple(_setting(base, path, key, value) for key, value in table.get("settings", {}).items()),
        variant_of=base.variant_of or base.name,
    )


def _setting(base: Manifest, path: Path, key: str, value: object) -> Setting:
    check_keys(path, "implementation.settings", {key: value}, {known: str for known, _ in base.known_settings})
    kind, text = dict(base.known_settings)[key], str(value)
    place = path.parent / text
    if kind is SettingKind.FILE and not place.is_file():
        raise UsageError(f"{path}: `implementation.settings.{key}`: there is no file {place}", f"paths are relative to {path.parent}")
    # Not resolved: the Python of a virtual environment is a link, and belongs to it only by the link's name.
    beside = kind is SettingKind.FILE or (kind is SettingKind.PROGRAM and "/" in text)
    return Setting(key, kind, str(place) if beside else text)


def _name(path: Path, table: Mapping[str, Any]) -> str:
    name = str(table.get("name", ""))
    if not name:
        raise UsageError(f"{path}: the key `name` is missing", 'say what people type, such as name = "go"')
    if not NAME.fullmatch(name):
        raise UsageError(f"{path}: name = {name!r} has other characters than letters, digits and dashes")
    return name


def _manifest(path: Path, name: str, table: Mapping[str, Any]) -> Manifest:
    build, run = table.get("build", {}), table.get("run", {})
    if "build" in table and not build.get("command"):
        raise UsageError(f"{path}: the key `build.command` is missing", 'say how it is built, such as command = ["python3", "build.py"]')
    if not (build or run.get("driver") or table.get("programs")):
        raise UsageError(f"{path}: neither `build.command` nor `run.driver` nor `programs` is given, so there is nothing to run")
    programs = {key: words(path, f"programs.{key}", value) for key, value in table.get("programs", {}).items()}
    return Manifest(
        name=name,
        path=path.resolve(),
        description=table.get("description", ""),
        build_command=words(path, "build.command", build.get("command", [])),
        sources=words(path, "build.sources", build.get("sources", [])),
        tools=words(path, "build.tools", build.get("tools", [])),
        build_env=words(path, "build.env", build.get("env", [])),
        driver=words(path, "run.driver", run.get("driver", [])),
        run_env=_variables(path, run.get("env", {})),
        stack_dump_signal=run.get("stack_dump_signal", ""),
        debugged=run.get("debugged", False),
        programs=tuple(programs.items()),
        known_settings=tuple((key, _kind(path, key, value)) for key, value in table.get("settings", {}).items()),
    )


def _variables(path: Path, table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    check_keys(path, "run.env", table, dict.fromkeys(table, str))
    return tuple(sorted(table.items()))


def _kind(path: Path, key: str, value: Any) -> SettingKind:
    try:
        return SettingKind(value)
    except ValueError:
        raise UsageError(f"{path}: `settings.{key}` is {value!r}", f"a setting is one of: {', '.join(SettingKind)}") from None


def check_keys(path: Path | str, table: str, values: Mapping[str, Any], known: Mapping[str, type]) -> None:
    """Check that each key is known and has a value of its type. Raises UsageError."""
    for key, value in values.items():
        full = f"{table}.{key}" if table else key
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
            raise UsageError(f"{path}: unknown key `{full}`", hint)
        if not isinstance(value, known[key]):
            wanted = {str: "a text", list: "a list", dict: "a table", bool: "true or false", int: "a number"}[known[key]]
            raise UsageError(f"{path}: `{full}` must be {wanted}, not {value!r}")


def words(path: Path | str, key: str, value: object) -> tuple[str, ...]:
    """Return a list of texts as a tuple. Raises UsageError for any other value."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise UsageError(f"{path}: `{key}` must be a list of texts, not {value!r}")
    return tuple(value)
