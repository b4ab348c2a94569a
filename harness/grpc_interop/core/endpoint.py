"""The options of a channel or of a server. Immutable data."""

from typing import NamedTuple


class Endpoint(NamedTuple):
    """The options of one side. A field that is None means the runtime's own default. A field has the name of the capability that
    it needs."""

    # Size of the largest message that this side accepts, in bytes, serialised and before any compression.
    max_receive_bytes: int | None = None

    def requires(self) -> frozenset[str]:
        """Return the capabilities that the side's driver needs."""
        return frozenset(self._given())

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value:,}" for name, value in self._given().items())

    def _given(self) -> dict[str, int]:
        return {name: value for name, value in self._asdict().items() if value is not None}


PLAIN = Endpoint()
"""An endpoint with the runtime's own defaults throughout."""
