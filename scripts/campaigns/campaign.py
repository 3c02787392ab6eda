#!/usr/bin/env python3
"""What the campaigns share: counting, many at a time, and the library that makes calls fail. Not a program."""
import os
import shutil
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Tally:
    """Counts by row, and what did not hold."""

    def __init__(self, title):
        self.title, self.rows, self.problems, self.lock, self.start = title, {}, [], threading.Lock(), time.monotonic()

    def add(self, row, **counts):
        with self.lock:
            line = self.rows.setdefault(row, {})
            for name, count in counts.items():
                line[name.replace("_", " ")] = line.get(name.replace("_", " "), 0) + count

    def problem(self, row, text):
        with self.lock:
            self.problems.append(f"{row}: {text}")
            print(f"  PROBLEM {row}: {text}", flush=True)
        self.add(row, problems=1)

    def show(self):
        columns = list(dict.fromkeys(name for line in self.rows.values() for name in line))
        width = max([len(row) for row in self.rows] + [5]) + 2
        print(f"\n{self.title}: {time.monotonic() - self.start:.0f} s")
        print("".ljust(width) + "".join(name.rjust(max(12, len(name) + 2)) for name in columns))
        for row, line in self.rows.items():
            print(row.ljust(width) + "".join(f"{line.get(name, 0):,}".rjust(max(12, len(name) + 2)) for name in columns))
        total = {name: sum(line.get(name, 0) for line in self.rows.values()) for name in columns}
        if len(self.rows) > 1:
            print("total".ljust(width) + "".join(f"{total[name]:,}".rjust(max(12, len(name) + 2)) for name in columns))
        print(f"{len(self.problems)} problems", flush=True)


def each(cases, jobs, body):
    """Calls `body(case)` for all cases, several at a time. What it throws is printed as the fault of the campaign."""
    def guarded(case):
        try:
            body(case)
        except Exception:
            traceback.print_exc()
            os._exit(3)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(guarded, cases))


def faulty_library(folder):
    """Compiles what is preloaded into dv."""
    library = folder / "faulty.so"
    compiler = next((name for name in ("clang", "cc", "gcc") if shutil.which(name)), None)
    if not compiler:
        sys.exit("torture: this campaign needs a C compiler (clang or gcc)")
    source = Path(__file__).resolve().parent / "faulty.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def preload(library, counter, program, fault):
    """The variables that make a call of dv fail."""
    counter.write_bytes(bytes(8))
    return {"LD_PRELOAD": str(library), "TORTURE_COUNTER": str(counter), "TORTURE_FAULT": fault, "TORTURE_PROGRAM": program.name}


def count(counter):
    return int.from_bytes(counter.read_bytes(), sys.byteorder)
