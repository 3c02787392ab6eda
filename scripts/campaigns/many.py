#!/usr/bin/env python3
"""Sixteen processes at once: adding in one clone, adding into a shared store, pushing to one remote. Not a program."""
import random
import shutil
import subprocess

from campaign import Tally
from scenario import Broken, Ground, Workplace
from workplace import noise, snapshot

COUNT = 16


def run(options, folder):
    place = Workplace(folder / "many", options.dv)
    tally = Tally(f"{COUNT} processes at once, seed {options.seed}")
    for number in range(options.count):
        for kind, body in (("add in one clone", one_clone), ("add to a shared store", shared_store), ("push to one remote", one_remote)):
            ground = Ground(place, f"round-{number}-{kind.replace(' ', '-')}")
            try:
                body(ground, random.Random(f"{options.seed}/{kind}/{number}"), tally, kind)
                tally.add(kind, rounds=1)
            except Broken as broken:
                tally.problem(kind, f"seed {options.seed} round {number}: {broken}")
            ground.remove()
    return tally


def repository(ground, name):
    work = ground.path(name)
    work.mkdir()
    ground.place.must("git", "init", "-q", "--template=", "-b", "main", cwd=work)
    ground.must("init", "-q", at=name)
    ground.git("commit", "-q", "-m", "init", at=name)
    return work


def data(work, name, source):
    """Some of it is the same for everybody, some is not."""
    (work / name).mkdir()
    (work / name / "shared").write_bytes(noise(150_000, 1))
    for number in range(3):
        (work / name / f"own{number}").write_bytes(source.randbytes(source.randrange(1, 60_000)))


def at_once(ground, commands, tally, kind):
    """Starts all, waits for all. One that finds a lock held too long may exit with 6, and must do it the second time."""
    started = [(command, at, subprocess.Popen(
        [ground.place.dv, *command], cwd=ground.path(at), env=ground.place.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)) for command, at in commands]
    broken = None
    for command, at, process in started:
        output, _ = process.communicate(timeout=300)
        tally.add(kind, processes=1)
        if process.returncode == 6:
            tally.add(kind, busy=1)
            ground.must(*command, at=at)
        elif process.returncode:
            broken = broken or Broken(f"'dv {' '.join(command)}' in {at} exited with {process.returncode}: {output[-600:]}")
    if broken:
        raise broken


def one_clone(ground, source, tally, kind):
    work = repository(ground, "work")
    names = [f"data{number}" for number in range(COUNT)]
    for name in names:
        data(work, name, source)
    wanted = {name: snapshot(work / name) for name in names}
    at_once(ground, [(("add", "-q", name), "work") for name in names], tally, kind)
    staged = ground.git("diff", "--cached", "--name-only").output.split()
    if lost := [name for name in names if f"{name}.dv" not in staged]:
        raise Broken(f"pointers that are not staged: {lost}")
    ignored = (work / ".gitignore").read_text().split()
    if lost := [name for name in names if f"/{name}" not in ignored]:
        raise Broken(f"data that .gitignore lost: {lost}")
    ground.must("fsck", "--full", "-q")
    for name in names:
        shutil.rmtree(work / name)
    at_once(ground, [(("checkout", "-q", name), "work") for name in names], tally, kind)
    compare(work, wanted)


def shared_store(ground, source, tally, kind):
    wanted = {}
    for number in range(COUNT):
        work = repository(ground, f"clone{number}")
        ground.must("config", "-q", "core.store", str(ground.path("store")), at=f"clone{number}")
        data(work, "data", source)
        wanted[number] = snapshot(work / "data")
    at_once(ground, [(("add", "-q", "data"), f"clone{number}") for number in range(COUNT)], tally, kind)
    ground.must("fsck", "--full", "-q", at="clone0")
    for number in range(COUNT):
        shutil.rmtree(ground.path(f"clone{number}/data"))
    at_once(ground, [(("checkout", "-q"), f"clone{number}") for number in range(COUNT)], tally, kind)
    for number in range(COUNT):
        compare(ground.path(f"clone{number}"), {"data": wanted[number]})


def one_remote(ground, source, tally, kind):
    wanted = {}
    for number in range(COUNT):
        work = repository(ground, f"clone{number}")
        ground.must("remote", "add", "-q", "origin", "../remote", at=f"clone{number}")
        data(work, "data", source)
        ground.must("add", "-q", "data", at=f"clone{number}")
        wanted[number] = snapshot(work / "data")
    at_once(ground, [(("push", "-q"), f"clone{number}") for number in range(COUNT)], tally, kind)
    ground.must("fsck", "--full", "-q", "--remote", "origin", at="clone0")
    for number in range(COUNT):
        shutil.rmtree(ground.path(f"clone{number}/data"))
        shutil.rmtree(ground.path(f"clone{number}/.git/dv/store"))
    at_once(ground, [(("pull", "-q"), f"clone{number}") for number in range(COUNT)], tally, kind)
    for number in range(COUNT):
        compare(ground.path(f"clone{number}"), {"data": wanted[number]})


def compare(work, wanted):
    for name, content in wanted.items():
        if snapshot(work / name) != content:
            raise Broken(f"'{name}' in {work.name} is not what was added")
