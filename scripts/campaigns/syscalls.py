#!/usr/bin/env python3
"""Every call to the file system failing in turn: told, nothing lost, and made good by the same command. Not a program."""
import errno
import random

from campaign import Tally, count, each, faulty_library, preload
from scenario import SCENARIOS, Broken, Workplace

NAMES = ("add", "merge", "push", "pull", "fetch", "checkout", "force", "gc", "grace", "repair", "heal", "move", "status")

OPEN, CREATE, READ, WRITE, SYNC, CLOSE, NAME, LOOK = (1 << bit for bit in range(8))
# What goes wrong: the calls it can happen to, and what they answer.
FAULTS = {
    "ENOSPC": (CREATE | WRITE | SYNC, errno.ENOSPC),
    "EDQUOT": (CREATE | WRITE | SYNC | CLOSE, errno.EDQUOT),
    "EIO": (255, errno.EIO),
    "EROFS": (CREATE | WRITE | NAME, errno.EROFS),
    "EACCES": (OPEN | CREATE | NAME | LOOK, errno.EACCES),
    "EMFILE": (OPEN, errno.EMFILE),
    "ENOMEM": (255, errno.ENOMEM),
    "EINTR": (OPEN | READ | WRITE | SYNC | CLOSE, errno.EINTR),
    "short": (READ | WRITE, "short"),
    "lost fsync": (SYNC, "lose"),
    "close": (CLOSE, errno.EIO),
}


def run(options, folder):
    """With a count, so many positions of each fault in each command; without, all."""
    place = Workplace(folder / "syscalls", options.dv)
    place.is_small = options.small
    library = faulty_library(folder)
    tally = Tally(f"calls that fail, seed {options.seed}")
    for name in options.only or NAMES:
        scenario = SCENARIOS[name](place)
        for fault, (classes, answer) in FAULTS.items():
            if options.faults and fault not in options.faults:
                continue
            ground = scenario.ground.copy(place.folder / f"measure-{name}")
            counter = place.folder / f"counter-{name}"
            start(scenario, ground, preload(library, counter, place.dv, f"{classes}:0:{answer}"))
            total = count(counter)
            ground.remove()
            positions = list(range(1, total + 1))
            random.Random(f"{options.seed}/{name}/{fault}").shuffle(positions)
            each(positions[:options.count or total], options.jobs,
                 lambda at: one(scenario, fault, classes, answer, at, place, library, tally, options))
        scenario.ground.remove()
        line = tally.rows.get(name, {})
        print(f"{name}: {line}", flush=True)
    return tally


def start(scenario, ground, variables):
    return ground.place.run(*scenario.start(ground), cwd=ground.path(scenario.at), limit=60, variables=variables)


def one(scenario, fault, classes, answer, at, place, library, tally, options):
    name = scenario.name
    ground = scenario.ground.copy(place.folder / f"{name}-{fault.replace(' ', '-')}-{at}")
    counter = place.folder / f"counter-{name}-{fault.replace(' ', '-')}-{at}"
    outcome = None
    try:
        outcome = start(scenario, ground, preload(library, counter, place.dv, f"{classes}:{at}:{answer}"))
        tally.add(name, failed_calls=1)
        complaint = outcome.complaint()
        if complaint:
            raise Broken(complaint)
        if outcome.code == 0:
            tally.add(name, went_on=1)
        else:
            tally.add(name, told=1)
            if answer in (errno.EINTR, "short") and not classes & (SYNC | CLOSE):
                raise Broken(f"is no failure, yet it exits with {outcome.code}: {outcome.errors[-500:]}")
            scenario.verify_stop(ground)
        scenario.verify_end(ground)
    except Broken as broken:
        said = f" (it exited with {outcome.code}: {outcome.errors.strip()[-300:]})" if outcome else ""
        tally.problem(name, f"{fault} at call {at}: {broken}{said}")
        if options.keep:
            return
    counter.unlink(missing_ok=True)
    ground.remove()
