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
    return kind(message or f"dv ended with {code}", code)


def words(arguments: Sequence[str]) -> List[str]:
    """The command line of dv with ``arguments``."""
    return [os.environ.get("DV_PROGRAM", "dv"), *arguments]


def absent() -> DvError:
    return DvError("The program 'dv' is not in PATH. Install it, or name it in the variable DV_PROGRAM.", 127)


def answer(arguments: Sequence[str], directory: Optional[str] = None) -> Dict[str, Any]:
    """Runs dv and returns the JSON object that it prints."""
    try:
        done = subprocess.run(words([*arguments, "--json"]), cwd=directory, stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError as error:
        if directory is not None and not os.path.isdir(directory):
            raise
        raise absent() from error
    if done.returncode != 0:
        raise failure(done.returncode, done.stderr)
    value: Dict[str, Any] = json.loads(done.stdout)
    return value


def source(repo: Optional[str]) -> List[str]:
    """The option for another repository."""
    return [] if repo is None else [f"--repo={os.path.expanduser(repo)}"]


def location(path: str, rev: Optional[str]) -> str:
    """``REV:PATH``; a path alone is marked as one, because names may have colons."""
    if rev is not None:
        return f"{rev}:{path}"
    return path if os.path.isabs(path) or path.startswith("./") or path.startswith("../") else f"./{path}"
