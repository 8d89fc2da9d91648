"""Runs the program neurodex, with its progress and its errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from typing import IO, Any, Callable

from . import _native
from ._errors import ProgramError

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def main() -> int:
    """Becomes the program: the console script ``neurodex``."""
    program = _native.program()
    os.execv(program, [program, *sys.argv[1:]])


def run(arguments: list[str], progress: bool = False, accepted: tuple[int, ...] = (0,)) -> tuple[str, list[str]]:
    """Runs ``neurodex ARGUMENTS…`` and waits for it.

    Args:
        arguments: the command and its options.
        progress: show the program's progress bar on standard error.
        accepted: the exit statuses that are no error; 2 means that some inputs were skipped.

    Returns:
        What it printed, and its remarks: the lines on standard error that are not progress.

    Raises:
        ProgramError: if it ends with another status; the message is the program's own.
        NeurodexError: if the program is not there.
    """
    remarks = _Remarks(sys.stderr.write if progress else None)
    reading, writing = _terminal() if progress else os.pipe()
    try:
        process = subprocess.Popen(
            [_native.program(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=writing
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    reader = threading.Thread(target=remarks.read, args=(reading,), daemon=True)
    reader.start()
    try:
        output = _output(process.stdout).decode("utf-8", "replace")
        status = process.wait()
    except BaseException:
        process.terminate()  # As Ctrl-C: the program keeps what is done.
        process.wait()
        raise
    finally:
        reader.join(timeout=5)
    if status not in accepted:
        message = "\n".join(remarks.lines) or f"neurodex {arguments[0]} ended with status {status}"
        raise ProgramError(re.sub(r"^Error: ", "", message), status, arguments)
    return output, remarks.lines


def run_json(arguments: list[str], progress: bool = False, accepted: tuple[int, ...] = (0,)) -> Any:
    """The same with ``--format json``, read."""
    output, _ = run([arguments[0], "--format", "json", *arguments[1:]], progress, accepted)
    return json.loads(output)


def options(values: dict[str, Any]) -> list[str]:
    """Makes a command's options of Python's: ``top_count=3`` is ``--top-count=3``, True a flag, a list the option again."""
    arguments: list[str] = []
    for name, value in values.items():
        option = "--" + name.strip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            arguments.append(option)
        elif isinstance(value, (list, tuple)):
            arguments += [f"{option}={item}" for item in value]
        else:
            arguments.append(f"{option}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
    return arguments


def _output(stream: IO[bytes] | None) -> bytes:
    return stream.read() if stream else b""


def _terminal() -> tuple[int, int]:
    """A terminal for the program to draw its progress on; a pipe, and no progress, where there is none."""
    try:
        import fcntl
        import pty
        import struct
        import termios

        reading, writing = pty.openpty()
        fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 110, 0, 0))
        return reading, writing
    except (ImportError, OSError):
        return os.pipe()


class _Remarks:
    """Reads standard error: what is progress is shown, what is a line of text is kept."""

    def __init__(self, show: Callable[[str], Any] | None) -> None:
        self.lines: list[str] = []
        self._show = show
        self._rest = ""

    def read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            while data := _read_some(stream):
                text = data.decode("utf-8", "replace")
                if self._show:
                    self._show(text.replace("\r\n", "\n"))
                self._rest += text.replace("\r\n", "\n")
                *lines, self._rest = self._rest.split("\n")
                for line in lines:
                    self._keep(line)
        self._keep(self._rest)

    def _keep(self, line: str) -> None:
        # What a progress bar wrote over is gone.
        text = _ESCAPES.sub("", line.rsplit("\r", 1)[-1]).rstrip()
        if text:
            self.lines.append(text)


def _read_some(stream: Any) -> bytes:
    try:
        return stream.read(65536) or b""
    except OSError:  # A terminal whose other end was closed.
        return b""


if __name__ == "__main__":
    sys.exit(main())
