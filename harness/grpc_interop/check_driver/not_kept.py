"""The finding of a check."""


class NotKept(Exception):
    """The driver does not keep the promise; the text tells how it behaved instead."""
