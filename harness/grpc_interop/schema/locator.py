"""Where a proto file lies, as seen from where the user stands, and on which line of it an element."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from google.protobuf import descriptor_pb2

from grpc_interop.schema.image import read_image
from grpc_interop.schema.roots.root import Root
from grpc_interop.schema.roots.roots import resolve
from grpc_interop.schema.source_lines import compiled_lines, source_lines


class ElementLocator:
    """Looks when it is asked: only for what is told to people."""

    def __init__(self, roots: Sequence[Root], image: Path | None, seen_from: Path) -> None:
        """`roots` in the order in which imports are looked up; of an image nobody knows where its files lie."""
        self._roots = [] if image else roots
        self._image = image
        self._seen_from = seen_from
        self._lines = cache(self._read_lines)

    def locate(self, file: str, element: str) -> tuple[str, int]:
        """Return the path of a file (empty where nobody knows it), and the line of an element in it (0 likewise)."""
        path = resolve(file, self._roots)
        return self._spelled(path) if path else "", self._lines(file).get(element, 0) if element else 0

    def _spelled(self, path: Path) -> str:
        shown = self._seen_from / path  # not resolved: a link is shown by the name that the user knows
        return str(shown.relative_to(self._seen_from) if shown.is_relative_to(self._seen_from) else shown)

    def _read_lines(self, file: str) -> dict[str, int]:
        if self._image is not None:
            _, content = read_image(self._image)
            every = descriptor_pb2.FileDescriptorSet.FromString(content).file
            return next((compiled_lines(one) for one in every if one.name == file), {})
        path = resolve(file, self._roots)
        return source_lines(path.read_text(encoding="utf-8", errors="replace")) if path else {}
