"""Finds the path of a proto file, relative to the user's folder, and the line of an element in it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from google.protobuf import descriptor_pb2

from grpc_interop.schema.image import read_image
from grpc_interop.schema.roots.root import Root
from grpc_interop.schema.roots.roots import resolve
from grpc_interop.schema.source_lines import compiled_lines, source_lines


class ElementLocator:
    """Reads a file only when one of its elements is located: for messages to people."""

    def __init__(self, roots: Sequence[Root], image: Path | None, seen_from: Path) -> None:
        """`roots` are in the order of import lookup. The paths of an image's files are not known."""
        self._roots = [] if image else roots
        self._image = image
        self._seen_from = seen_from
        self._lines = cache(self._read_lines)

    def locate(self, file: str, element: str) -> tuple[str, int]:
        """Return the path of a file and the line of an element in it; empty and 0 where they are not known."""
        path = resolve(file, self._roots)
        return self._spelled(path) if path else "", self._lines(file).get(element, 0) if element else 0

    def _spelled(self, path: Path) -> str:
        shown = self._seen_from / path  # not resolved: the user knows the name of a link
        return str(shown.relative_to(self._seen_from) if shown.is_relative_to(self._seen_from) else shown)

    def _read_lines(self, file: str) -> dict[str, int]:
        if self._image is not None:
            _, content = read_image(self._image)
            files = descriptor_pb2.FileDescriptorSet.FromString(content).file
            return next((compiled_lines(compiled) for compiled in files if compiled.name == file), {})
        path = resolve(file, self._roots)
        return source_lines(path.read_text(encoding="utf-8", errors="replace")) if path else {}
