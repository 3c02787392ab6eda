"""Reading data of any version, of this repository or another."""

import atexit
import builtins
import io
import os
import shutil
import subprocess
import tempfile
from typing import IO, Any, Dict, Optional, Tuple, Union
from urllib.parse import quote, urlencode

from . import _program

Path = Union[str, "os.PathLike[str]"]


class Stream(io.RawIOBase):
    """What ``dv cat`` prints. dv proves all of it before it prints the first byte.

    That dv failed is an error of the read that comes to the end, so that what was cut short is never taken for whole.
    """

    def __init__(self, path: str, rev: Optional[str], repo: Optional[str], directory: Optional[str] = None) -> None:
        super().__init__()
        self.name = path
        # Bounded neither in time nor size by a pipe that nobody reads.
        self._errors = tempfile.TemporaryFile()
        where = path if repo is not None and rev is None else _program.location(path, rev)
        if repo is not None and rev is None:
            # A path of another repository begins at its top; what is before a colon would be taken for a revision.
            where = path if ":" not in path else f"HEAD:{path}"
        try:
            self._process = subprocess.Popen(
                _program.words(["cat", *_program.source(repo), "--", where]), cwd=directory, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=self._errors, bufsize=0)
        except FileNotFoundError as error:
            self._errors.close()
            raise _program.absent() from error
        except BaseException:
            self._errors.close()
            raise

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._checkClosed()
        assert self._process.stdout is not None
        count: int = self._process.stdout.readinto(buffer)  # type: ignore[attr-defined]
        if count == 0 and len(buffer) > 0:
            self._finish()
        return count

    def _finish(self) -> None:
        code = self._process.wait()
        if code != 0:
            self._errors.seek(0)
            raise _program.failure(code, self._errors.read(1 << 16))

    def close(self) -> None:
        if self.closed:
            return
        process = getattr(self, "_process", None)
        if process is not None:
            process.stdout.close()
            if process.poll() is None:
                process.terminate()
            process.wait()
            self._errors.close()
        super().close()

    def _checkClosed(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file.")


def open(
    path: Path, mode: str = "r", *, rev: Optional[str] = None, repo: Optional[str] = None, encoding: Optional[str] = None,
    errors: Optional[str] = None, newline: Optional[str] = None, seekable: bool = False,
) -> IO[Any]:
    """Opens a tracked file for reading.

    Without ``rev`` and ``repo`` a file that is on disk is opened as it is there; one that is not is read as its pointer
    says. ``path`` is relative to the current directory, with ``repo`` to the top of that repository: a folder or a URL that
    git can clone. The content comes as a stream; with ``seekable`` it is in a temporary file first.

    Raises ``NotFound``, ``Missing`` or ``DvError``, at the latest when the end is read.
    """
    if mode not in ("r", "rt", "rb"):
        raise ValueError(f"mode '{mode}': what dv tracks is opened for reading only; write the file itself and 'dv add' it")
    if "b" in mode and (encoding or errors or newline):
        raise ValueError("a binary mode takes no encoding, errors or newline")
    name = os.fspath(path)
    if rev is None and repo is None and os.path.isfile(name):
        return builtins.open(name, mode, encoding=encoding, errors=errors, newline=newline)
    binary: Any = io.BufferedReader(Stream(name, rev, repo), 1 << 20)
    try:
        # What is wrong is said here rather than at some later read. An empty file has nothing to look at.
        binary.peek(1)
        if seekable:
            binary = spool(binary)
    except BaseException:
        binary.close()
        raise
    return binary if "b" in mode else io.TextIOWrapper(binary, encoding or "utf-8", errors, newline)


def spool(stream: IO[bytes]) -> IO[bytes]:
    """Copies a stream into a temporary file without a name, and closes it."""
    file = tempfile.TemporaryFile()
    try:
        with stream:
            shutil.copyfileobj(stream, file, 1 << 20)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def read(
    path: Path, mode: str = "r", *, rev: Optional[str] = None, repo: Optional[str] = None, encoding: Optional[str] = None,
) -> Union[str, bytes]:
    """Returns the whole content of a tracked file: text, or bytes with mode ``rb``."""
    with open(path, mode, rev=rev, repo=repo, encoding=encoding) as file:
        content: Union[str, bytes] = file.read()
        return content


class _Copies:
    """Copies for programs that want a path: in a folder of this process, which goes when it ends."""

    def __init__(self) -> None:
        self._folder: Optional[str] = None
        self._process = 0
        self._known: Dict[Tuple[str, ...], str] = {}

    def get(self, path: str, rev: Optional[str], repo: Optional[str]) -> str:
        # Of a fork the copies are the parent's.
        if self._folder is None or self._process != os.getpid():
            self._folder = tempfile.mkdtemp(prefix="dv-")
            self._process = os.getpid()
            self._known = {}
            atexit.register(_remove, self._folder, self._process)
        where, inside = (os.path.expanduser(repo), path) if repo is not None else top(path)
        arguments = ["get", where, inside]
        if rev is not None:
            arguments.append(f"--rev={rev}")
        target = tempfile.mkdtemp(dir=self._folder)
        # A branch moves, so the commit is asked for every time; the bytes are copied once for each content.
        report = _program.answer([*arguments, f"--output={os.path.join(target, os.path.basename(inside) or 'data')}"])
        made = str(report["path"])
        key = (str(report.get("oid")), os.path.basename(made))
        if report.get("oid") is not None and os.path.exists(self._known.get(key, "")):
            shutil.rmtree(target)
            return self._known[key]
        self._known[key] = made
        return made


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


_copies = _Copies()


def top(path: str) -> Tuple[str, str]:
    """The top of the repository that ``path`` is in, and the path from there."""
    full = os.path.abspath(path)
    folder = os.path.dirname(full)
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            raise _program.NotFound(f"'{path}' is in no git repository.", 2)
        folder = parent
    return folder, os.path.relpath(full, folder)


def path(path: Path, *, rev: Optional[str] = None, repo: Optional[str] = None) -> str:
    """Returns a path on disk of a tracked file or directory, for libraries that open files themselves.

    Without ``rev`` and ``repo`` that is the place in the working tree, if something is there. Otherwise it is a copy that
    goes when this process ends, and must not be written to.
    """
    name = os.fspath(path)
    if rev is None and repo is None and os.path.exists(name):
        return os.path.abspath(name)
    return _copies.get(name, rev, repo)


def get_url(path: Path, *, rev: Optional[str] = None, repo: Optional[str] = None) -> str:
    """Returns the ``dv://`` URL of a tracked path, which fsspec and what builds on it (pandas, pyarrow, dask) can open.

    There is no URL of the stored bytes: on a remote a file is chunks in packs, which only dv can put together and prove.
    """
    name = os.fspath(path)
    where = repo
    if repo is None:
        where, name = top(name)
    query = {key: value for key, value in (("rev", rev), ("repo", where)) if value is not None}
    return f"dv://{quote(name)}?{urlencode(query)}"
