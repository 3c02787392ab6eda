#!/usr/bin/env python3
"""What dv is asked to do in the campaigns, on which repository, and what must hold whatever happens meanwhile. Not a program."""
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "faults"))
from workplace import Workplace, noise, small_tree, snapshot  # noqa: E402

TARGETS = ("data", "model.bin")
TEMPORARY = re.compile(r"(^|/)\.dv-[^/]*\.tmp$")


def first_version(work, is_small):
    if is_small:
        (work / "data/d0").mkdir(parents=True)
        for name in ("f0", "gone"):
            (work / "data/d0" / name).write_bytes(noise(700, name))
        (work / "model.bin").write_bytes(noise(20_000, 2))
        return
    small_tree(work / "data", 1)
    (work / "model.bin").write_bytes(noise(150_000, 2))


def second_version(work, is_small):
    """Changes, adds and removes files, and turns a file into a directory and a directory into a file."""
    data = work / "data"
    if is_small:
        (data / "d0/f0").write_bytes(noise(900, 3))
        (data / "d0/gone").unlink()
        (data / "new").symlink_to("d0/f0")
        (work / "model.bin").write_bytes(noise(20_000, 4))
        return
    with open(data / "sub/table1.txt", "ab") as table:
        table.write(b"one more line\n" * 50)
    (data / "d1/f1").unlink()
    (data / "d1/new").write_bytes(noise(20_000, 3))
    (data / "empty").unlink()
    (data / "empty").mkdir()
    (data / "empty/inside").write_bytes(noise(300, 4))
    shutil.rmtree(data / "d2")
    (data / "d2").write_bytes(b"was a directory")
    (data / "link").unlink()
    (data / "link").symlink_to("d1/new")
    content = bytearray((work / "model.bin").read_bytes())
    content[70_000:70_100] = noise(100, 5)
    (work / "model.bin").write_bytes(content)


def look(work):
    return {target: snapshot(work / target) for target in TARGETS}


class Broken(Exception):
    """Something that must hold does not."""


class Ground:
    """Copies of one prepared folder: `work` and `clone` are repositories, `remote` is what they share."""

    def __init__(self, place, name):
        self.place, self.folder = place, place.folder / name
        self.folder.mkdir()

    def path(self, name):
        return self.folder / name

    def dv(self, *arguments, at="work", **options):
        return self.place.run(self.place.dv, *arguments, cwd=self.folder / at, **options)

    def must(self, *arguments, at="work", code=0):
        """Runs dv, which must exit with this code."""
        outcome = self.dv(*arguments, at=at)
        if outcome.code != code:
            raise Broken(f"'dv {' '.join(arguments)}' in {at} exited with {outcome.code}: {(outcome.errors + outcome.output)[-700:]}")
        return outcome

    def git(self, *arguments, at="work"):
        outcome = self.place.run("git", *arguments, cwd=self.folder / at)
        if outcome.code:
            raise Broken(f"{outcome.command} exited with {outcome.code}: {outcome.errors[-700:]}")
        return outcome

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def copy(self, to):
        subprocess.run(["cp", "-a", "--reflink=auto", self.folder, to], check=True)
        ground = Ground.__new__(Ground)
        ground.place, ground.folder = self.place, to
        return ground

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def expect(self, wanted, at="work", what="the data"):
        there = look(self.path(at))
        for target in wanted:
            if there[target] == wanted[target]:
                continue
            names = set(there[target]) | set(wanted[target])
            wrong = sorted(name for name in names if there[target].get(name) != wanted[target].get(name))
            raise Broken(f"{what} in {at} is not what it must be: {target}: {wrong[:5]}")

    def expect_mixture(self, versions, at="work"):
        """Each file is that of one version or not there: half a file never is."""
        there = look(self.path(at))
        for target, found in there.items():
            for name, item in found.items():
                # What was being written when it was killed is not data; the next command removes it.
                if item[0] == "directory" or TEMPORARY.search(name):
                    continue
                if not any(version[target].get(name) == item for version in versions):
                    raise Broken(f"'{target}/{name}' in {at} is of no version")


class Scenario:
    """One command on one prepared ground. Subclasses say what is prepared, asked, and must hold."""

    command = ()
    at = "work"
    # What else may be said of the store between a stop and the next run.
    fsck_may_find = False
    # Where fsck must find nothing between a stop and the next run.
    clean = ("work", "clone")
    # Whether the command may refuse when it is given again, because it is done.
    may_refuse_again = False

    def __init__(self, place):
        self.ground = Ground(place, f"ground-{self.name}")
        self.first = self.second = None
        self.prepare()

    @property
    def name(self):
        return type(self).__name__.lower()

    def base(self):
        """A repository with a first version that is committed and pushed, cloned and pulled, then a second on disk."""
        ground, place = self.ground, self.ground.place
        work = ground.path("work")
        work.mkdir()
        place.must("git", "init", "-q", "--template=", "-b", "main", cwd=work)
        ground.must("init", "-q")
        ground.must("remote", "add", "-q", "origin", "../remote")
        first_version(work, place.is_small)
        ground.must("add", "-q", *TARGETS)
        ground.commit("first")
        ground.must("push", "-q")
        self.first = look(work)
        place.must("git", "clone", "-q", "--template=", work, ground.path("clone"), cwd=ground.folder)
        ground.must("pull", "-q", at="clone")
        second_version(work, place.is_small)
        self.second = look(work)

    def second_is_committed(self):
        self.ground.must("add", "-q", *TARGETS)
        self.ground.commit("second")

    def clone_knows_second(self):
        self.ground.git("pull", "-q", "--no-rebase", at="clone")

    # -- What a campaign calls

    def start(self, ground):
        """The words of the command."""
        return [ground.place.dv, *self.command]

    def stopped(self, ground):
        """What must hold at once after a stop."""

    def again(self, ground):
        """The command, without anything going wrong."""
        ground.must(*self.command, at=self.at)

    def finished(self, ground):
        """What must hold after success."""

    def verify_stop(self, ground):
        self.stopped(ground)
        for at in self.clean:
            outcome = ground.dv("fsck", "--full", "-q", at=at)
            if outcome.code != 0 and not (self.fsck_may_find and outcome.code in (3, 4)):
                raise Broken(f"after it, fsck in {at} exits with {outcome.code}: {(outcome.errors + outcome.output)[-700:]}")
        self.again(ground)

    def verify_end(self, ground):
        self.finished(ground)
        for at in ("work", "clone"):
            ground.must("fsck", "--full", "-q", at=at)
        ground.must("fsck", "--full", "-q", "--remote", "origin")

    def restore(self, ground, wanted, at="work"):
        """Takes the data away and checks it out of the store alone."""
        for target in TARGETS:
            path = ground.path(at) / target
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        ground.must("checkout", "-q", at=at)
        ground.expect(wanted, at, "what the store gives back")


class Add(Scenario):
    command = ("add", *TARGETS)

    def prepare(self):
        self.base()

    def stopped(self, ground):
        ground.expect(self.second, what="the user's data")

    def finished(self, ground):
        ground.expect(self.second, what="the user's data")
        self.restore(ground, self.second)
        ground.git("checkout", "-q", "-f", "HEAD", "--", "data.dv", "model.bin.dv")
        ground.must("checkout", "-q")
        ground.expect(self.first, what="the first version")


class Merge(Add):
    """An add that merges the many small packs of those before it."""

    def prepare(self):
        self.base()
        ground = self.ground
        for number in range(66):
            ground.path("work/note").write_bytes(b"%d" % number)
            ground.must("add", "-q", "note")

    def again(self, ground):
        super().again(ground)
        # What was merged is read by each of these.
        ground.path("work/note").unlink()
        ground.must("checkout", "-q", "note")


class Push(Scenario):
    command = ("push",)
    # The clone's pointers name what is not pushed yet.
    clean = ("work",)

    def prepare(self):
        self.base()
        self.second_is_committed()
        self.clone_knows_second()

    def stopped(self, ground):
        ground.expect(self.second, what="the user's data")
        ground.must("fsck", "--full", "-q", "--remote", "origin")

    def finished(self, ground):
        ground.expect(self.second, what="the user's data")
        ground.must("pull", "-q", at="clone")
        ground.expect(self.second, "clone", "what a colleague gets")


class Pull(Scenario):
    command, at = ("pull",), "clone"

    def prepare(self):
        self.base()
        self.second_is_committed()
        self.ground.must("push", "-q")
        self.clone_knows_second()

    def stopped(self, ground):
        ground.expect_mixture([self.first, self.second], "clone")

    def finished(self, ground):
        ground.expect(self.second, "clone", "what was pulled")
        self.restore(ground, self.second, "clone")


class Checkout(Scenario):
    command = ("checkout",)

    def prepare(self):
        self.base()
        self.second_is_committed()
        self.ground.git("checkout", "-q", "HEAD~1")

    def stopped(self, ground):
        ground.expect_mixture([self.first, self.second])

    def finished(self, ground):
        ground.expect(self.first, what="what was checked out")


class Force(Checkout):
    """A checkout over changes that are given up, beside a file of the user's that no version has."""
    command = ("checkout", "--force")

    def prepare(self):
        super().prepare()
        (self.ground.path("work") / "data/d0/f0").write_bytes(b"changed")

    def stopped(self, ground):
        changed = {"data": {"d0/f0": ("file", b"changed")}, "model.bin": {}}
        ground.expect_mixture([self.first, self.second, changed])


class Gc(Scenario):
    command = ("gc", "--now")

    def prepare(self):
        self.base()
        ground = self.ground
        self.second_is_committed()
        for number in range(4):
            ground.path("work/garbage").write_bytes(noise(30_000, 10 + number))
            ground.must("add", "-q", "garbage", "data")
        ground.git("rm", "-q", "--cached", "garbage.dv")
        for name in ("garbage.dv", "garbage"):
            ground.path(f"work/{name}").unlink()

    def stopped(self, ground):
        ground.expect(self.second, what="the user's data")

    def finished(self, ground):
        self.restore(ground, self.second)
        ground.git("checkout", "-q", "-f", "HEAD~1", "--", "data.dv", "model.bin.dv")
        ground.must("checkout", "-q")
        ground.expect(self.first, what="the first version")


class Grace(Gc):
    """A collection that deletes what an earlier one condemned, and condemns more."""
    command = ("gc",)

    def prepare(self):
        super().prepare()
        self.ground.must("config", "-q", "gc.grace", "0s")
        self.ground.must("gc", "-q")


class Repair(Scenario):
    command = ("repair",)
    fsck_may_find = True

    def again(self, ground):
        super().again(ground)
        # What only a remote has that could not be opened was named; it is like what was never here.
        if self.at == "work" and ground.dv("checkout", "-q").code:
            ground.must("fetch", "-q")

    def prepare(self):
        self.base()
        ground = self.ground
        self.second_is_committed()
        ground.must("push", "-q")
        self.damage(ground.path("work/.git/dv/store"))
        # What the store lost only the remote has.
        for target in TARGETS:
            path = ground.path("work") / target
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def damage(self, store):
        source = random.Random(6)
        for path in sorted((store / "packs").glob("*/*")):
            content = bytearray(path.read_bytes())
            content[source.randrange(len(content))] ^= 4
            os.chmod(path, 0o644)
            path.write_bytes(content)
        segment = sorted((store / "index").glob("*"))[0]
        os.chmod(segment, 0o644)
        segment.write_bytes(segment.read_bytes()[:-100])

    def finished(self, ground):
        ground.must("checkout", "-q")
        ground.expect(self.second, what="what was repaired")


class Heal(Repair):
    """A repair of a remote from the local store."""
    command = ("repair", "--remote", "origin")

    def prepare(self):
        self.base()
        self.second_is_committed()
        self.ground.must("push", "-q")
        self.clone_knows_second()
        self.damage(self.ground.path("remote"))

    def finished(self, ground):
        ground.must("pull", "-q", at="clone")
        ground.expect(self.second, "clone", "what a colleague gets")


class Fetch(Pull):
    command = ("fetch",)

    def stopped(self, ground):
        ground.expect(self.first, "clone", "the user's data")

    def finished(self, ground):
        ground.must("checkout", "-q", at="clone")
        super().finished(ground)


class Move(Scenario):
    command = ("mv", "data", "moved/data")
    may_refuse_again = True

    def prepare(self):
        self.base()
        self.second_is_committed()
        self.ground.path("work/moved").mkdir()

    def stopped(self, ground):
        places = [place for place in ("data", "moved/data") if snapshot(ground.path("work") / place) == self.second["data"]]
        if not places:
            raise Broken("the user's data is at neither place")

    def again(self, ground):
        left = [ground.path("work") / name for name in ("data", "data.dv")]
        if any(path.exists() for path in left) or not ground.path("work/moved/data.dv").exists():
            super().again(ground)

    def finished(self, ground):
        moved = ground.path("work/moved/data")
        if snapshot(moved) != self.second["data"] or ground.path("work/data").exists() or ground.path("work/data.dv").exists():
            raise Broken("the data is not where it was moved")
        ground.must("checkout", "-q")
        # That nothing of it was pushed is no change.
        if ground.dv("status", "-q", "--exit-code").code:
            raise Broken("status finds changes: " + ground.dv("status").output[-500:])


class Status(Scenario):
    """Reads only; what goes wrong must be told, and nothing be changed."""
    command = ("status",)

    def prepare(self):
        self.base()

    def stopped(self, ground):
        ground.expect(self.second, what="the user's data")

    def finished(self, ground):
        ground.expect(self.second, what="the user's data")


SCENARIOS = {kind.__name__.lower(): kind for kind in
             (Add, Merge, Push, Pull, Fetch, Checkout, Force, Gc, Grace, Repair, Heal, Move, Status)}
