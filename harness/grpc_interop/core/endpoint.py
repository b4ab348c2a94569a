"""The options of a channel or of a server. Immutable data."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The options of one side. A field that is None means the runtime's own default. A field has the name of the capability that
    it needs."""

    # Size of the largest message that this side accepts, in bytes, serialised and before any compression.
    max_receive_bytes: int | None = None

    def requires(self) -> frozenset[str]:
        """Return the capabilities that the side's driver needs."""
        return frozenset(name for name, _ in self._given())

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value:,}" for name, value in self._given())

    def _given(self) -> list[tuple[str, int]]:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return [(name, value) for name, value in values if value is not None]


PLAIN = Endpoint()
"""An endpoint with the runtime's own defaults throughout."""
