#!/usr/bin/env python3
"""Campaigns that run inside the test program, where a case takes a millisecond and not a process. Not a program."""
import os
import re
import subprocess
import sys
import tempfile

from campaign import Tally


def run(options, title, suite, variables):
    """Runs one suite and reads the counts that it prints: lines of words and a number."""
    if not options.tests.exists():
        sys.exit("torture: build the tests first: scripts/test, or swift build --build-tests")
    tally = Tally(title)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as scratch:
        result = subprocess.run(
            [options.tests, "--testing-library", "swift-testing", "--filter", suite], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=os.environ | {name: str(value) for name, value in variables.items()} | {"TMPDIR": scratch})
    for line in result.stdout.splitlines():
        found = re.fullmatch(r"([a-zA-Z, ]+) (\d+)", line)
        if found:
            tally.add(found[1], count=int(found[2]))
        elif "recorded an issue" in line:
            tally.problem(suite, line)
    if result.returncode and not tally.problems:
        tally.problem(suite, f"the test program ended with {result.returncode}: {result.stdout[-1000:]}")
    return tally
