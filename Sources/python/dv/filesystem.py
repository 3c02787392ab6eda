"""A read-only file system for fsspec, with URLs like ``dv://data/train.csv?rev=v1``."""

import os
from typing import Any, Dict, List, Optional
from urllib.parse import parse_qs, unquote, urlsplit

from fsspec.spec import AbstractFileSystem

from . import _data, _program


class DvFileSystem(AbstractFileSystem):
    """What a revision of a repository tracks; paths are from the top of the repository.

    ``rev`` is a revision of git, ``repo`` a folder or a URL that git can clone; without ``repo`` it is the repository of the
    current directory, and without ``rev`` what the pointers on disk say (of a clone: its HEAD).
    """

    protocol = "dv"
    root_marker = ""
    # Another commit may come at any time.
    cachable = False

    def __init__(self, rev: Optional[str] = None, repo: Optional[str] = None, **options: Any) -> None:
        super().__init__(**options)
        self.rev = rev
        self.repo = repo if repo is not None else _data.top(os.path.join(os.getcwd(), "x"))[0]

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        text = os.fspath(path)
        if text.startswith("dv://"):
            parts = urlsplit(text)
            text = unquote(parts.netloc + parts.path)
        return text.strip("/")

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> Dict[str, Any]:
        query = parse_qs(urlsplit(path).query)
        return {key: query[key][0] for key in ("rev", "repo") if key in query}

    def _entries(self, path: str) -> List[Dict[str, Any]]:
        """What dv lists at a path: of a directory the names below it, of a file its own last name."""
        where = f"{self.rev}:{path}" if self.rev is not None else path or "."
        if self.rev is None and ":" in path:
            where = f"HEAD:{path}"
        listed = _program.answer(["ls", *_program.source(self.repo), "--", where])["entries"]
        return [
            {
                "name": entry["path"], "size": entry["size"], "oid": entry["oid"],
                "type": "directory" if entry["kind"] in ("directory", "dir", "tree") else "file",
            }
            for entry in listed
        ]

    def ls(self, path: str, detail: bool = True, **options: Any) -> List[Any]:
        path = self._strip_protocol(path)
        entries = self._entries(path)
        if path and [(entry["name"], entry["type"]) for entry in entries] == [(path.rsplit("/", 1)[-1], "file")]:
            # A file, or a directory with one file of the same name.
            itself = self.info(path)
            if itself["type"] == "file":
                return [itself] if detail else [path]
        # Data may be tracked far below a directory that only git knows: what lies between is shown as directories.
        found: Dict[str, Dict[str, Any]] = {}
        prefix = path + "/" if path else ""
        for entry in entries:
            first, slash, _ = entry["name"].partition("/")
            name = prefix + first
            if slash:
                found.setdefault(name, {"name": name, "size": 0, "type": "directory"})
            else:
                found[name] = {**entry, "name": name}
        values = sorted(found.values(), key=lambda entry: str(entry["name"]))
        return values if detail else [entry["name"] for entry in values]

    def info(self, path: str, **options: Any) -> Dict[str, Any]:
        path = self._strip_protocol(path)
        if not path:
            return {"name": "", "size": 0, "type": "directory"}
        parent = path.rsplit("/", 1)[0] if "/" in path else ""
        for entry in self.ls(parent):
            if entry["name"] == path:
                found: Dict[str, Any] = entry
                return found
        raise FileNotFoundError(path)

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if mode != "rb":
            raise NotImplementedError("dv:// is for reading; write the file itself and 'dv add' it")
        # Readers of Parquet and zip go back and forth: the content waits in a temporary file, never in memory.
        return _data.spool(_data.Stream(self._strip_protocol(path), self.rev, self.repo))  # type: ignore[arg-type]

    def ukey(self, path: str) -> str:
        """The name of a path's content, which is the same wherever the content is."""
        return str(self.info(path).get("oid", path))
