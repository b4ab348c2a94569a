"""The configuration of a run: the project's `interop.toml`, the command's options, and the paths of files."""

import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpc_interop.drivers.manifest import FILE, Manifest, check_keys, read_manifest, variant, words
from grpc_interop.errors import UsageError
from grpc_interop.files import temporary
from grpc_interop.files.atomic import write_whole
from grpc_interop.schema.roots.root import Root, read_root

STATE_FOLDER = ".interop"
"""Everything made at run time lies here: cache, builds, reports."""

ACCEPTED = "interop.accepted.toml"
"""The file of accepted breaks beside a project's file, unless that names other files."""

DEFAULT_SEED = 1
"""A fixed seed: a change that touched nothing must not go red by chance."""

_KEYS: dict[str, dict[str, type]] = {
    "": {
        "protos": dict,
        "implementations": list,
        "implementation": list,
        "suites": list,
        "seed": int,
        "known_failures": list,
        "accepted_breaks": list,
    },
    "protos": {"roots": list, "includes": list, "excludes": list, "image": str, "buf": bool},
    "implementation": {"name": str, "from": str, "description": str, "settings": dict},
}


def home() -> Path:
    """Return the folder with the bundled proto/ and *_impl/: inside the installed package, or the checkout."""
    bundled = Path(__file__).parent / "_bundled"
    return bundled if bundled.is_dir() else Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Project:
    """A user's repository and the content of its `interop.toml`, all of which is optional."""

    folder: Path
    roots: tuple[Root, ...] = ()  # at most one of `roots`, `image` and `buf` is set
    includes: tuple[Root, ...] = ()
    excludes: tuple[str, ...] = ()
    image: Path | None = None
    buf: bool = False  # buf builds the protos of the folder
    implementations: tuple[Manifest, ...] = ()
    suites: tuple[str, ...] = ()
    seed: int = DEFAULT_SEED
    known_failures: tuple[Path, ...] = ()
    accepted: tuple[Path, ...] = ()

    @property
    def accepted_breaks(self) -> tuple[Path, ...]:
        """Files of accepted breaks; new breaks are written into the first."""
        return self.accepted or (self.folder / ACCEPTED,)

    @property
    def state(self) -> Path:
        return self.folder / STATE_FOLDER

    def make_state_folder(self) -> Path:
        """Make the folder for builds and reports, which keeps itself out of the user's git and has the temporary files."""
        ignore = self.state / ".gitignore"
        if not ignore.exists() or not ignore.stat().st_size:
            write_whole(ignore, "# Everything here was made by `interop`, and can be made again.\n*\n")
        temporary.begin(self.state)
        return self.state


@dataclass(frozen=True, slots=True)
class Options:
    """A run's options, after the project's defaults were applied. Paths are absolute."""

    project: Project
    roots: tuple[Root, ...]
    includes: tuple[Root, ...] = ()
    image: Path | None = None
    buf: bool = False
    implementations: tuple[Manifest, ...] = ()
    clients: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    keyword: str = ""
    shard: tuple[int, int] = (1, 1)
    seed: int = DEFAULT_SEED
    count: int = 0
    budget: float = 0  # seconds for playing; 0 for no limit
    changed: str = ""  # the git ref since which an RPC or message must have changed; empty for all
    strict: bool = False
    report: Path = field(default=Path())


def as_arguments(options: Options, relative_to: Path | None = None) -> list[str]:
    """Return the words with which another `interop run` gets the same options where they differ from the project's, but for
    shard and report. Paths are absolute, or relative to a folder, for another checkout."""
    project = options.project

    def shown(path: Path) -> str:
        return str(path) if relative_to is None else os.path.relpath(path, relative_to)

    words = _chosen_roots(options, shown)
    for manifest in options.implementations:
        if manifest not in project.implementations:
            words += ["--implementation", shown(manifest.path)]
    every = tuple(manifest.name for manifest in options.implementations)
    for option, names, own_names in (
        ("--client", options.clients, every),
        ("--server", options.servers, every),
        ("--suite", options.suites, project.suites),
    ):
        if names != own_names:
            words += [word for name in names for word in (option, name)]
    for option, value in (
        ("--image", shown(options.image) if options.image and options.image != project.image else ""),
        ("-k", options.keyword),
        ("--count", str(options.count or "")),
        ("--budget", f"{options.budget:g}s" if options.budget else ""),
        ("--changed", options.changed),
    ):
        if value:
            words += [option, value]
    return [*words, "--seed", str(options.seed)]


def added_implementations(options: Options, relative_to: Path) -> list[str]:
    """Return the words with which a command typed in a folder has the implementations that the project lacks."""
    words: list[str] = []
    for manifest in options.implementations:
        if manifest not in options.project.implementations:
            place = manifest.folder if manifest.path.name == FILE else manifest.path
            words += ["--implementation", os.path.relpath(place, relative_to)]
    return words


def chosen_tree(options: Options, relative_to: Path) -> list[str]:
    """Return the words with which a command typed in a folder has the same protos, where they are not the project's."""
    if options.image is not None:
        return ["--image", os.path.relpath(options.image, relative_to)]
    return _chosen_roots(options, lambda path: os.path.relpath(path, relative_to))


def _chosen_roots(options: Options, shown: Callable[[Path], str]) -> list[str]:
    words: list[str] = []
    project = options.project
    for option, roots, own in (("--proto-path", options.roots, project.roots), ("--include", options.includes, project.includes)):
        if roots != own:
            words += [word for root in roots for word in (option, root.spelled(shown(root.folder)))]
    return words


def find_project(start: Path | None = None) -> Project:
    """Return the project around `start` (the current folder): the nearest folder upwards with an `interop.toml` that is not an
    implementation's manifest, or else the current folder with the bundled implementations."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        path = folder / FILE
        if path.is_file():
            table = _read(path)
            if "name" not in table:
                return _project(path, table)
    return Project(start, implementations=_bundled())


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None


def _project(path: Path, table: dict[str, Any]) -> Project:
    check_keys(path, "", table, _KEYS[""])
    protos = table.get("protos", {})
    check_keys(path, "protos", protos, _KEYS["protos"])
    folder = path.parent
    every = {manifest.name: manifest for manifest in (*_bundled(), *_variants(path, table.get("implementation", [])))}
    listed = words(path, "implementations", table.get("implementations", list(every)))
    return Project(
        folder=folder,
        roots=tuple(read_root(name, folder) for name in words(path, "protos.roots", protos.get("roots", []))),
        includes=tuple(read_root(name, folder) for name in words(path, "protos.includes", protos.get("includes", []))),
        excludes=words(path, "protos.excludes", protos.get("excludes", [])),
        image=_one_source(path, protos),
        buf=protos.get("buf", False),
        implementations=tuple(every[name] if name in every else find_implementation(name, folder) for name in listed),
        suites=words(path, "suites", table.get("suites", [])),
        seed=table.get("seed", DEFAULT_SEED),
        known_failures=tuple(folder / name for name in words(path, "known_failures", table.get("known_failures", []))),
        accepted=tuple(folder / name for name in words(path, "accepted_breaks", table.get("accepted_breaks", []))),
    )


def _one_source(path: Path, protos: dict[str, Any]) -> Path | None:
    """Return the image, if there is one. Raise UsageError where several keys name the protos."""
    given = [key for key in ("roots", "image", "buf") if protos.get(key)]
    if len(given) > 1:
        keys = " and ".join(f"`{key}`" for key in given)
        raise UsageError(f"{path}: {keys} under [protos] each name the protos", "keep one of them")
    if given in (["image"], ["buf"]) and protos.get("includes"):
        raise UsageError(f"{path}: `includes` goes with `roots`: `{given[0]}` has all imports", "remove it")
    return path.parent / protos["image"] if protos.get("image") else None


def _variants(path: Path, tables: Sequence[Any]) -> Iterator[Manifest]:
    """Yield the implementations that a project derives from others with its own settings."""
    taken = {manifest.name for manifest in _bundled()}
    for table in tables:
        if not isinstance(table, dict):
            raise UsageError(f"{path}: `implementation` must be a table, not {table!r}", "it begins with [[implementation]]")
        check_keys(path, "implementation", table, _KEYS["implementation"])
        if "from" not in table:
            raise UsageError(f"{path}: the key `implementation.from` is missing", "name the implementation that the settings are for")
        made = variant(find_implementation(table["from"], path.parent), path, table)
        if made.name in taken:
            raise UsageError(f"{path}: there are two implementations called {made.name!r}", "give this one another name")
        taken.add(made.name)
        yield made


def find_implementation(name: str, folder: Path) -> Manifest:
    """Return the implementation of a folder or a manifest file (relative to `folder`), or the bundled implementation of that name."""
    place = folder / name
    if place.is_file() or (place / FILE).is_file():
        return read_manifest(place)
    for manifest in _bundled():
        if name in (manifest.name, manifest.folder.name):
            return manifest
    raise UsageError(f"{name}: no folder with an {FILE} (looked below {folder} and among the bundled implementations)")


def _bundled() -> tuple[Manifest, ...]:
    pattern = f"*_impl/{Path(FILE).stem}*.toml"
    return tuple(sorted((read_manifest(path) for path in home().glob(pattern)), key=lambda manifest: manifest.name))


def in_continuous_integration() -> bool:
    """Return whether CI=true is set, as in CI systems: there, a missing toolchain is a failure."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def choose(what: str, wanted: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return `wanted`, or all known names. Raise UsageError for an unknown name."""
    for name in wanted:
        if name not in known:
            raise UsageError(f"unknown {what} {name!r}", f"known: {', '.join(known) or 'none'}")
    return tuple(dict.fromkeys(wanted)) or tuple(known)
