#!/usr/bin/env python3
"""Files that are rewritten while they are added: what is stored is what its name says, and was there at some moment. Not a program."""
import hashlib
import os
import random
import shutil
import subprocess
import threading

from campaign import Tally, each
from scenario import Broken, Ground, Workplace

# A version of a file is one of these bytes over and over, a mark of its own every 4,096 bytes, and some length.
UNIT = 4096


def version(number, units):
    return b"".join(hashlib.sha256(b"%d/%d" % (number, unit)).digest() * (UNIT // 32) for unit in range(units))


def run(options, folder):
    place = Workplace(folder / "rewrites", options.dv)
    tally = Tally(f"files rewritten while they are added, seed {options.seed}")
    base = Ground(place, "base")
    base.path("work").mkdir()
    place.must("git", "init", "-q", "--template=", "-b", "main", cwd=base.path("work"))
    base.must("init", "-q")
    versions = [version(number, units) for number, units in enumerate((60, 60, 75, 20, 60, 61))]
    each(range(options.count), options.jobs, lambda case: one(base, case, versions, options, tally))
    base.remove()
    return tally


def one(base, case, versions, options, tally):
    source = random.Random(f"{options.seed}/{case}")
    how = source.choice(("in place", "replaced", "truncated", "appended", "grown and renamed"))
    ground = base.copy(base.place.folder / f"case-{case}")
    data = ground.path("work/data")
    data.mkdir()
    for number in range(4):
        (data / f"file{number}").write_bytes(versions[0])
    stop = threading.Event()
    # Names that were there at some moment, by file: a rename is one moment, a write in place may be seen half done.
    whole = {hashlib.sha256(content).hexdigest() for content in versions}

    def rewrite():
        while not stop.is_set():
            path, content = data / f"file{source.randrange(4)}", source.choice(versions)
            if how == "in place":
                with open(path, "r+b") as file:
                    file.write(content)
                    file.truncate()
            elif how == "truncated":
                os.truncate(path, source.randrange(0, 200_000))
            elif how == "appended":
                with open(path, "ab") as file:
                    file.write(content[:50_000])
                if path.stat().st_size > 2_000_000:
                    os.truncate(path, 0)
            else:
                temporary = data.parent / f"temporary{case}"
                temporary.write_bytes(content)
                os.replace(temporary, path)
            stop.wait(source.random() * 0.003)

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        process = subprocess.run([ground.place.dv, "add", "-q", "data"], cwd=ground.path("work"), env=ground.place.environment,
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    finally:
        stop.set()
        writer.join()
    tally.add(how, runs=1)
    try:
        if process.returncode not in (0, 6, 7, 2, 1):
            raise Broken(f"it exited with {process.returncode}: {process.stderr[-500:]}")
        if process.returncode:
            tally.add(how, told=1)
            if not process.stderr.strip():
                raise Broken(f"it exited with {process.returncode} and said nothing")
        else:
            tally.add(how, added=1)
            # Every content that was stored is under its own name, and where a file is replaced at once, was there whole.
            ground.must("fsck", "--full", "-q")
            shutil.move(data, ground.path("kept"))
            ground.must("checkout", "-q")
            for path in data.iterdir():
                if how in ("replaced", "grown and renamed") and hashlib.sha256(path.read_bytes()).hexdigest() not in whole:
                    raise Broken(f"'{path.name}' was stored as it never was")
            # The working tree that moved on is seen as changed, or is what was stored.
            shutil.rmtree(data)
            shutil.move(ground.path("kept"), data)
            changed = ground.dv("status", "--json").json
            stored = {path.name: path.read_bytes() for path in data.iterdir()}
            shutil.rmtree(data)
            ground.must("checkout", "-q")
            differs = any(path.read_bytes() != stored[path.name] for path in data.iterdir())
            if differs and changed.get("clean"):
                raise Broken("status says that nothing changed, and something did")
        ground.must("add", "-q", "data")
        ground.must("fsck", "--full", "-q")
    except Broken as broken:
        tally.problem(how, f"seed {options.seed} case {case}: {broken}")
    ground.remove()
