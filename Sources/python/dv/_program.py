"""Runs the program dv."""

import json
import os
import subprocess
from typing import Any, Dict, List, Optional, Sequence


class DvError(Exception):
    """What dv said when it could not do something; ``code`` is its exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class NotFound(DvError, FileNotFoundError):
    """There is no such path, revision or repository; or the question makes no sense (exit code 2)."""

    # FileNotFoundError would print its errno otherwise.
    __str__ = Exception.__str__


class Missing(DvError):
    """The data is known, and its bytes are neither here nor on the remote (exit code 3)."""


def failure(code: int, errors: bytes) -> DvError:
    """Makes the error for a dv that ended with ``code``."""
    text = errors.decode("utf-8", "replace").strip()
    message = text[len("error: "):] if text.startswith("error: ") else text
    kind = {2: NotFound, 3: Missing}.get(code, DvError)
    if "\nUsage: dv" in message:
        # A command line that this dv does not know: no path is missing.
        kind = DvError
        message += "\nThe program 'dv' and this module are of different versions: install the module that came with dv."
    return kind(message or f"dv ended with {code}", code)


def words(arguments: Sequence[str]) -> List[str]:
    """The command line of dv with ``arguments``."""
    return [os.environ.get("DV_PROGRAM", "dv"), *arguments]


def stranger(program: str) -> DvError:
    """The error for a program that answers as no dv does that this module knows."""
    said = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True).stdout.decode("utf-8", "replace")
    version = said.strip().split("\n")[0][:80] or "nothing"
    return DvError(f"'{program}' answers as this module does not expect; it calls itself '{version}'. Install the module that came with it.", 1)


def absent() -> DvError:
    return DvError("The program 'dv' is not in PATH. Install it, or name it in the variable DV_PROGRAM.", 127)


def answer(arguments: Sequence[str], directory: Optional[str] = None) -> Dict[str, Any]:
    """Runs dv and returns the JSON object that it prints."""
    # What comes after -- is no option.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    try:
        done = subprocess.run(words([*arguments[:end], "--json", *arguments[end:]]), cwd=directory, stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError as error:
        if directory is not None and not os.path.isdir(directory):
            raise
        raise absent() from error
    if done.returncode != 0:
        raise failure(done.returncode, done.stderr)
    try:
        value: Dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise stranger(done.args[0]) from error
    return value


def source(repo: Optional[str]) -> List[str]:
    """The option for another repository."""
    return [] if repo is None else [f"--repo={os.path.expanduser(repo)}"]


def location(path: str, rev: Optional[str]) -> str:
    """``REV:PATH``; a path alone is marked as one, because names may have colons."""
    if rev is not None:
        return f"{rev}:{path}"
    return path if os.path.isabs(path) or path.startswith("./") or path.startswith("../") else f"./{path}"
