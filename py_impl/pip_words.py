"""What pip says when it fails, without what does not help: whole lists of versions, advice, and a build's traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

CONFLICT = "The conflict is caused by:"

MOST_OF_A_CONFLICT = 3
"""Lines of it: pip lists every version that it has tried."""

# pip repeats itself, or speaks of pip.
SAYS_NOTHING = (
    "conflicting dependencies",
    "No matching distribution found",
    "ResolutionImpossible",
    "subprocess-exited-with-error",
    "Failed to build",
)


def cause(words: str) -> str:
    """Return the cause in one line, of all that pip wrote; its last lines where none can be found."""
    found = dict.fromkeys(_causes([line.rstrip() for line in words.splitlines()]))
    return "; ".join(found) or " ".join(words.split("\n")[-10:]).strip()


def _causes(lines: list[str]) -> Iterator[str]:
    collected = ""
    for number, line in enumerate(lines):
        text = line.strip()
        if text.startswith("Collecting "):
            collected = text.split()[1]
        elif text.startswith("WARNING: Retrying"):
            # '<...>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/grpcio/
            yield "no answer from the package index: " + re.sub(r"['\")]+: /.*$|^.*: (?=\[Errno)", "", text)[:200]
        elif text.startswith(("ERROR: ", "error: ")) and not any(word in text for word in SAYS_NOTHING):
            yield _without_versions(text.partition(": ")[2])
        elif text == CONFLICT:
            yield from islice(_block(lines[number + 1 :]), MOST_OF_A_CONFLICT)
        elif text == "[end of output]" and number:
            # The last line of a build's traceback is the exception.
            yield f"{collected} cannot be built here: {lines[number - 1].strip()}"


def _without_versions(text: str) -> str:
    """Return what pip says of a requirement that nothing satisfies, without all the versions that do not."""
    found = re.search(r" \(from versions: (.*)\)$", text)
    if not found or found[1] == "none":
        return text
    return f"{text[: found.start()]} (the newest is {found[1].split(', ')[-1]})"


def _block(lines: list[str]) -> Iterator[str]:
    """Yield the indented lines up to the first that is not."""
    for line in lines:
        if not line.startswith(" "):
            return
        yield line.strip()
