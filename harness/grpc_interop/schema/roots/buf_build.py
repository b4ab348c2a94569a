"""The program buf, which is installed with the harness, and the images that it builds of a repository's modules.

buf reads buf.yaml, and has the modules of a registry that buf.lock names: they are in its own cache once they were fetched.
"""

import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from grpc_interop.schema.roots.roots import ProtoError

FILES = ("buf.yaml", "buf.lock", "buf.work.yaml", "buf.mod", "buf.work")
"""buf's own files; the last two are older names."""

PATIENCE = 600
"""Seconds. A large tree takes a few, and more only while modules are fetched."""

MOST_LINES = 20
"""As many lines of buf's output as fit on a screen."""

_COMPLETED = 0, 100
"""buf's exit statuses after a complete build: 100 reports faults in the protos."""


def find_buf() -> str | None:
    """Return the buf that is installed with the harness, else another buf, or None."""
    return shutil.which("buf", path=sysconfig.get_path("scripts")) or shutil.which("buf")


def build_image(folder: Path, cache: Path) -> Path:
    """Return an image of the modules that a folder's buf.yaml names, with all imports. Raise ProtoError."""
    if not any((folder / name).is_file() for name in FILES if name != "buf.lock"):
        raise ProtoError(
            f"{folder} has no buf.yaml, and `buf = true` in interop.toml asks for buf's modules",
            "write one (`buf config init`), or name the roots in interop.toml instead",
        )
    buf = find_buf()
    if buf is None:
        raise ProtoError("buf is not installed, and `buf = true` in interop.toml asks for it", "pip install buf-bin")
    kept = cache / "buf"
    kept.mkdir(parents=True, exist_ok=True)
    # Always built: only buf knows all files that it reads, and checking them for changes takes it as long.
    made = kept / f"{os.getpid()}-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}.binpb"
    try:
        done = subprocess.run(
            [buf, "build", "--output", str(made)],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise ProtoError(*_explain(folder, done.returncode, done.stderr.strip()))
        image = kept / f"{hashlib.sha256(made.read_bytes()).hexdigest()[:32]}.binpb"
        made.replace(image)
    except subprocess.TimeoutExpired:
        raise ProtoError(f"buf has not built the modules of {folder} within {PATIENCE} s", "try `buf build` there") from None
    finally:
        made.unlink(missing_ok=True)
    return image


def _explain(folder: Path, status: int, output: str) -> tuple[str, str]:
    """Return buf's words and a remedy."""
    lines = output.splitlines()
    more = [f"... and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    what = f"buf cannot build the modules of {folder}:\n" + "\n".join([*lines[:MOST_LINES], *more])
    if status not in _COMPLETED or "does not exist" in output:
        return what, (
            "modules of a registry have to be fetched once, with network: `buf dep update` where buf.yaml has changed, and `buf build`;"
            '\n  or have an image made elsewhere, and name it: `image = "image.binpb"` in place of `buf = true`'
        )
    return what, "mend the protos, or leave them out with `excludes` in buf.yaml"
