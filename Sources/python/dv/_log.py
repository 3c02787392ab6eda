"""What a run logs of itself: lines of JSON in the file that DV_RUN_LOG names (docs/format/run-log.md)."""

import json
import math
import os
import time
from typing import Any, Dict, Optional

VARIABLE = "DV_RUN_LOG"
# Where a block of this process logs to; it comes before the variable.
_override: Optional[str] = None


def set_override(path: Optional[str]) -> None:
    global _override
    _override = path


def log_metric(name: str, value: float, step: Optional[int] = None) -> None:
    """Logs a metric, if this runs inside ``dv run``, ``dv repro`` or ``with dv.run()``; else does nothing.

    All values are kept as the run's series, the last one in its record too.
    """
    number = _number(value)
    line: Dict[str, Any] = {"type": "metric", "name": name, "value": number, "time": int(time.time() * 1000)}
    if step is not None:
        line["step"] = int(step)
    _append(line)


def log_param(name: str, value: Any) -> None:
    """Logs a parameter that no file declares: text, a number, a truth value, or lists and dictionaries of such."""
    _append({"type": "param", "name": name, "value": _plain(value)})


def _number(value: Any) -> Any:
    # Numbers of numpy, torch and the like become Python's.
    item = getattr(value, "item", None)
    if callable(item):
        value = item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        value = float(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)
    if callable(item):
        value = item()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, (str, bool, float)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 1 << 53 else str(value)
    return str(value)


def _append(line: Dict[str, Any]) -> None:
    path = _override or os.environ.get(VARIABLE)
    if not path:
        return
    if not isinstance(line["name"], str) or not line["name"] or len(line["name"].encode()) > 256:
        raise ValueError("a name has 1 to 256 bytes")
    data = (json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n").encode()
    # One write to the end of the file: lines of several processes do not mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)
