"""Errors for people: what is wrong, and what to do next. Each carries the exit status that the command ends with."""

from __future__ import annotations


class InteropError(Exception):
    """`what` says who, what and where; `remedy` what to do next, or nothing."""

    exit_status = 3

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}\n  {remedy}" if remedy else what)
        self.what = what
        self.remedy = remedy


class UsageError(InteropError):
    """Wrong usage or configuration."""

    exit_status = 2


class BuildError(InteropError):
    """A build failed, or a driver does not start."""
