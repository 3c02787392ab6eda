"""Parameters and metrics."""

from typing import Any, Dict, Optional

from . import _program


def _show(command: str, rev: Optional[str], repo: Optional[str]) -> Dict[str, Any]:
    arguments = [command, "show", *_program.source(repo)]
    if rev is not None:
        arguments.append(f"--rev={rev}")
    return {file["path"]: file["values"] for file in _program.answer(arguments)["files"]}


def params(path: Optional[str] = None, *, rev: Optional[str] = None, repo: Optional[str] = None) -> Dict[str, Any]:
    """Returns the parameters: of the file ``path``, else of all files of parameters together.

    Of a name that two files have at the top, the first file's value counts: ``params.yaml`` comes first.
    """
    files = _show("params", rev, repo)
    if path is not None:
        if path not in files:
            raise _program.NotFound(f"'{path}' is no file of parameters: 'dv params show' lists them.", 2)
        value: Dict[str, Any] = files[path]
        return value
    merged: Dict[str, Any] = {}
    for values in files.values():
        if isinstance(values, dict):
            for name, value in values.items():
                merged.setdefault(name, value)
    return merged


def metrics_show(*, rev: Optional[str] = None, repo: Optional[str] = None) -> Dict[str, Any]:
    """Returns the values in all files of metrics, by path from the top of the repository."""
    return _show("metrics", rev, repo)
