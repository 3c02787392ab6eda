#!/usr/bin/env python3
"""A disk that fills up and one that is read-only, for real: images with a file system of their own. Needs root. Not a program."""
import os
import random
import shutil
import subprocess
import sys

from campaign import Tally
from scenario import SCENARIOS, Broken, Workplace

NAMES = ("add", "merge", "push", "pull", "fetch", "checkout", "force", "gc", "grace", "repair", "heal", "move", "status")


class Disk:
    """An image of some megabytes, mounted; unmounted and removed when the block ends."""

    def __init__(self, folder, kind, megabytes):
        self.image, self.place = folder / f"{kind}.img", folder / f"{kind}-disk"
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        subprocess.run([f"mkfs.{kind}", "-q", *(["-m", "0"] if kind == "ext4" else []), self.image], check=True)
        self.place.mkdir()
        self.mount("loop")

    def mount(self, options):
        subprocess.run(["mount", "-o", options, *([] if "remount" in options else [self.image]), self.place], check=True)

    def free(self):
        status = os.statvfs(self.place)
        return status.f_bavail * status.f_frsize

    def fill(self, left):
        """Writes a file that leaves so many bytes."""
        with open(self.place / "filler", "wb") as filler:
            rest = self.free() - left
            while rest > 0:
                try:
                    rest -= filler.write(bytes(min(rest, 1 << 20)))
                    filler.flush()
                except OSError:
                    break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.place], check=False)
        self.image.unlink(missing_ok=True)


def run(options, folder):
    if os.geteuid() != 0:
        sys.exit("torture: 'disks' mounts images, which needs root")
    kinds = [kind for kind in ("ext4", "xfs") if shutil.which(f"mkfs.{kind}")]
    place = Workplace(folder / "disks", options.dv)
    tally = Tally(f"disks of {', '.join(kinds)}, seed {options.seed}")
    for kind in kinds:
        # The smallest that mkfs.xfs makes has 300 MB.
        with Disk(folder, kind, 24 if kind == "ext4" else 300) as disk:
            shutil.rmtree(disk.place / "lost+found", ignore_errors=True)
            for name in options.only or NAMES:
                scenario = SCENARIOS[name](place)
                source = random.Random(f"{options.seed}/{kind}/{name}")
                for case in range(options.count):
                    full(scenario, disk, source.randrange(0, 300_000) if case else 0, kind, tally)
                read_only(scenario, disk, kind, tally)
                scenario.ground.remove()
                print(f"{kind} {name}: {tally.rows.get(f'{kind} {name}')}", flush=True)
    return tally


def start(scenario, ground):
    return ground.place.run(*scenario.start(ground), cwd=ground.path(scenario.at), limit=60)


def full(scenario, disk, left, kind, tally):
    row = f"{kind} {scenario.name}"
    ground = scenario.ground.copy(disk.place / "ground")
    disk.fill(left)
    outcome = None
    try:
        outcome = start(scenario, ground)
        tally.add(row, full=1)
        if complaint := outcome.complaint():
            raise Broken(complaint)
        tally.add(row, **({"went on": 1} if outcome.code == 0 else {"told": 1}))
        scenario.stopped(ground)
        (disk.place / "filler").unlink()
        if outcome.code:
            scenario.verify_stop(ground)
        scenario.verify_end(ground)
    except Broken as broken:
        tally.problem(row, f"{left:,} bytes free: {broken}" + (f" (it exited with {outcome.code}: {outcome.errors[-300:]})" if outcome else ""))
    (disk.place / "filler").unlink(missing_ok=True)
    ground.remove()


def read_only(scenario, disk, kind, tally):
    row = f"{kind} {scenario.name}"
    ground = scenario.ground.copy(disk.place / "ground")
    outcome = None
    disk.mount("remount,ro")
    try:
        outcome = start(scenario, ground)
        tally.add(row, read_only=1)
        if complaint := outcome.complaint():
            raise Broken(complaint)
        for command in ("status", "fsck"):
            asked = ground.dv(command)
            if asked.complaint() or asked.code not in (0, 1, *((3, 4) if scenario.fsck_may_find else ())):
                raise Broken(f"'dv {command}' exits with {asked.code}: {asked.errors[-300:]}")
        scenario.stopped(ground)
        disk.mount("remount,rw")
        scenario.verify_stop(ground)
        scenario.verify_end(ground)
    except Broken as broken:
        tally.problem(row, f"read-only: {broken}" + (f" (it exited with {outcome.code}: {outcome.errors[-300:]})" if outcome else ""))
        disk.mount("remount,rw")
    ground.remove()
