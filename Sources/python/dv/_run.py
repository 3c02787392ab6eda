"""Recording a block of a notebook as a run."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import List, Optional, Sequence, Type

from . import _log, _program


class Run:
    """A run whose command is a block of this process; see ``run``."""

    def __init__(
        self, name: str, deps: Sequence[str], outs: Sequence[str], params: Sequence[str], metrics: Sequence[str],
        bundle: Optional[str] = None, remote: Optional[str] = None,
    ) -> None:
        self.name = name
        #: The run's ID, once the block has ended.
        self.id: Optional[str] = None
        self._options: List[str] = []
        for option, values in (("-d", deps), ("-o", outs), ("-p", params), ("-M", metrics)):
            for value in values:
                self._options += [option, os.fspath(value)]
        for option, place in (("--bundle", bundle), ("--remote", remote)):
            if place is not None:
                self._options += [option, os.fspath(place)]

    def __enter__(self) -> "Run":
        self._folder = tempfile.mkdtemp(prefix="dv-")
        place = os.path.join(self._folder, "block")
        self._output = open(os.path.join(self._folder, "output"), "w+b")
        self._errors = open(os.path.join(self._folder, "errors"), "w+b")
        self._socket: Optional[socket.socket] = None
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(place)
            listener.listen(1)
            environment = dict(os.environ, DV_BLOCK=place)
            package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environment.get("PYTHONPATH")]))
            # By its name alone, which is the same on every machine; found first where this interpreter is.
            interpreter = os.path.basename(sys.executable or "python3")
            environment["PATH"] = os.pathsep.join(
                filter(None, [os.path.dirname(sys.executable or ""), environment.get("PATH", os.defpath)]))
            command = ["run", "--json", *self._options, "--", interpreter, "-m", "dv.block", self.name]
            try:
                # A Ctrl-C in the notebook is the block's to handle.
                self._process = subprocess.Popen(
                    _program.words(command), env=environment, stdin=subprocess.DEVNULL, stdout=self._output,
                    stderr=self._errors, start_new_session=True)
            except FileNotFoundError as error:
                raise _program.absent() from error
            listener.settimeout(0.1)
            while self._socket is None:
                try:
                    self._socket = listener.accept()[0]
                except TimeoutError:
                    if self._process.poll() is not None:
                        raise self._failure() from None
                except socket.timeout:  # before Python 3.10 another class
                    if self._process.poll() is not None:
                        raise self._failure() from None
            self._socket.settimeout(None)
            log = b""
            while not log.endswith(b"\n"):
                piece = self._socket.recv(4096)
                if not piece:
                    raise self._failure()
                log += piece
        except BaseException:
            self._close()
            raise
        finally:
            listener.close()
        _log.set_override(os.fsdecode(log[:-1]))
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType],
    ) -> None:
        _log.set_override(None)
        assert self._socket is not None
        try:
            try:
                self._socket.sendall(b"ok\n" if kind is None else b"failed\n")
            except OSError:
                pass  # dv was ended: its exit code says so
            self._socket.close()
            code = self._process.wait()
            self._output.seek(0)
            text = self._output.read()
            if text.strip():
                self.id = json.loads(text.splitlines()[-1]).get("run")
            if code != 0 and kind is None:
                raise self._failure()
        finally:
            self._close()

    def _failure(self) -> _program.DvError:
        code = self._process.wait()
        self._errors.seek(0)
        return _program.failure(code, self._errors.read(1 << 16))

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        process = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait()
        self._output.close()
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    log_metric = staticmethod(_log.log_metric)
    log_param = staticmethod(_log.log_param)


def run(
    name: str = "notebook", *, deps: Sequence[str] = (), outs: Sequence[str] = (), params: Sequence[str] = (),
    metrics: Sequence[str] = (), bundle: Optional[str] = None, remote: Optional[str] = None,
) -> Run:
    """Records the block of a ``with`` as a run, with what it reads, makes and logs.

    ``deps``, ``outs``, ``params`` and ``metrics`` are what ``-d``, ``-o``, ``-p`` and ``-M`` are to ``dv run``: outputs that
    are there are removed when the block begins (their bytes are kept), and stored when it ends. A block that raises leaves
    a failed run. The record says which notebook's block it was and cannot be run again by itself: the code of a notebook
    is recorded as the file that was saved last.

    Where there is no git, ``bundle`` names a new file, or ``remote`` a remote, that the record and all that it names go to, for
    ``dv runs adopt`` at home.
    """
    return Run(name, deps, outs, params, metrics, bundle, remote)
