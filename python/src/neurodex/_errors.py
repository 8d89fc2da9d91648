"""What can go wrong, in sentences."""

from __future__ import annotations


class NeurodexError(Exception):
    """A question that neurodex could not answer, and why."""


class StoreError(NeurodexError):
    """A file that is no store, a store of another version, or one that is damaged."""


class ProgramError(NeurodexError):
    """The program ended without an answer.

    Attributes:
        status: its exit status: 1 failed, 2 some inputs were skipped, 64 wrong usage, 130 stopped.
        arguments: what it was run with.
    """

    def __init__(self, message: str, status: int, arguments: list[str]) -> None:
        super().__init__(message)
        self.status = status
        self.arguments = arguments
