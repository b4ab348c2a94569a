"""Errors for people, with a remedy and with the exit status of the command."""


class InteropError(Exception):
    exit_status = 3

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}\n  {remedy}" if remedy else what)
        self.what = what  # the fault, its cause and its place
        self.remedy = remedy  # the next step, or nothing


class UsageError(InteropError):
    """Wrong usage or configuration."""

    exit_status = 2


class BuildError(InteropError):
    """A build failed, or a driver does not start."""
