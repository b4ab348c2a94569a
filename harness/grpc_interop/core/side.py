"""Which of the two sides of a case: each has a script, a driver and a transcript."""

from enum import StrEnum


class Side(StrEnum):
    """In files and on the wire a side is its value."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> "Side":
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT
