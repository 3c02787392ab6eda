#!/usr/bin/env python3
"""kill -9 at random points, then: fsck is clean, the command runs again, everything is there bit by bit. Not a program."""
import os
import random
import signal
import subprocess
import time

from campaign import Tally, count, each, faulty_library, preload
from scenario import SCENARIOS, Broken, Workplace

NAMES = ("add", "merge", "push", "pull", "fetch", "checkout", "force", "gc", "grace", "repair", "heal", "move")


def run(options, folder):
    """Half of the kills come after a random time, half before a random call to the file system."""
    place = Workplace(folder / "kill", options.dv)
    library = faulty_library(folder)
    tally = Tally(f"kill -9, seed {options.seed}")
    for name in options.only or NAMES:
        scenario = SCENARIOS[name](place)
        calls, seconds = measure(scenario, place, library, folder, 3 if options.count > 10 else 1)
        begin = 0
        # Some commands are done before their time: there are as many cases as it takes for so many kills.
        while tally.rows.get(name, {}).get("killed", 0) < options.count:
            end = begin + max(options.jobs, options.count - tally.rows.get(name, {}).get("killed", 0))
            each(range(begin, end), options.jobs, lambda case: one(scenario, case, options, place, library, calls, seconds, tally))
            begin = end
        scenario.ground.remove()
        line = tally.rows[name]
        print(f"{name}: {line.get('killed', 0):,} killed of {line.get('runs', 0):,}, {calls} calls, {seconds * 1000:.0f} ms", flush=True)
    return tally


def launch(scenario, ground, place, variables):
    return subprocess.Popen([str(word) for word in scenario.start(ground)], cwd=ground.path(scenario.at), env=place.environment | variables,
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def measure(scenario, place, library, folder, times_measured):
    """How many calls the command makes, and how long it takes, when nothing goes wrong."""
    times = []
    for _ in range(times_measured):
        ground = scenario.ground.copy(place.folder / f"measure-{scenario.name}")
        counter = folder / f"counter-{scenario.name}"
        start = time.monotonic()
        process = launch(scenario, ground, place, preload(library, counter, place.dv, "255:0:kill"))
        if process.wait():
            raise SystemExit(f"torture: 'dv {' '.join(scenario.command)}' exits with {process.returncode} when nothing goes wrong")
        times.append(time.monotonic() - start)
        calls = count(counter)
        scenario.verify_end(ground)
        ground.remove()
    return calls, min(times)


def one(scenario, case, options, place, library, calls, seconds, tally):
    name, source = scenario.name, random.Random(f"{options.seed}/{scenario.name}/{case}")
    ground = scenario.ground.copy(place.folder / f"{name}-{case}")
    counter = place.folder / f"counter-{name}-{case}"
    story = []
    try:
        # Some are killed again while they put right what the first kill left.
        for _ in range(source.choice((1, 1, 1, 2, 3))):
            tally.add(name, runs=1)
            if source.random() < 0.5:
                at = source.randint(1, calls)
                story.append(f"before call {at} of {calls}")
                process = launch(scenario, ground, place, preload(library, counter, place.dv, f"255:{at}:kill"))
                process.wait()
            else:
                delay = source.uniform(0, 1.1 * seconds)
                story.append(f"after {delay * 1000:.1f} ms")
                process = launch(scenario, ground, place, {})
                try:
                    process.wait(delay)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            if process.returncode == -signal.SIGKILL:
                tally.add(name, killed=1)
            elif process.returncode != 0 and not scenario.may_refuse_again:
                raise Broken(f"it was not killed and exited with {process.returncode}")
            scenario.stopped(ground)
        scenario.verify_stop(ground)
        scenario.verify_end(ground)
        tally.add(name, made_good=1)
    except Broken as broken:
        tally.problem(name, f"seed {options.seed} case {case}, killed {', then '.join(story)}: {broken}")
        if options.keep:
            return
    counter.unlink(missing_ok=True)
    ground.remove()
