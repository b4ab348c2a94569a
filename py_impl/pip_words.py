"""Find the cause in pip's output, without the parts that do not help: lists of versions, advice, a build's traceback."""

import re
from collections.abc import Iterator
from itertools import islice

CONFLICT = "The conflict is caused by:"

MOST_OF_A_CONFLICT = 3
"""How many lines of a conflict to keep: pip lists every version that it has tried."""

# Errors that repeat another error, or are about pip itself.
SAYS_NOTHING = (
    "conflicting dependencies",
    "No matching distribution found",
    "ResolutionImpossible",
    "subprocess-exited-with-error",
    "Failed to build",
)


def cause(words: str) -> str:
    """Return the cause in one line, or the last lines of the output where no cause is found."""
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
    """Return pip's message about a requirement that nothing satisfies, without the list of all versions."""
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
