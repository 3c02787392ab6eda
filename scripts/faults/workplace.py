#!/usr/bin/env python3
"""Repositories with data, dv run in them, and what came out. Not a program."""
import json
import os
import random
import shutil
import stat
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

# What docs/design.md says that dv may exit with, when nobody interrupted it.
DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7}


@dataclass
class Outcome:
    command: str
    code: int
    output: str
    errors: str
    seconds: float
    # Whether it was ended because it took too long.
    is_late: bool = False

    @property
    def json(self):
        return json.loads(self.output)

    def complaint(self):
        """What is wrong with how the program ended, whatever it was asked to do; None if nothing is."""
        if self.is_late:
            return f"was still running after {self.seconds:.0f} s"
        if self.code not in DOCUMENTED:
            return f"exited with {self.code}: {self.errors[-600:]}"
        if self.code and not (self.errors + self.output).strip():
            return f"exited with {self.code} and said nothing"
        if "Fatal error" in self.errors or "Error Domain" in self.errors or "Swift." in self.errors:
            return f"says what no user understands: {self.errors[-600:]}"
        return None


class Workplace:
    """A folder with an empty home, in which programs see nothing of the user's configuration."""

    # Whether campaigns are to prepare as little data as they can.
    is_small = False

    def __init__(self, folder, dv, keys=None):
        self.folder, self.dv = Path(folder), Path(dv).resolve()
        (self.folder / "home").mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": f"{self.dv.parent}:{os.environ['PATH']}", "HOME": str(self.folder / "home"), "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com", "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true"}
        if keys:
            self.environment.update(AWS_ACCESS_KEY_ID=keys[0], AWS_SECRET_ACCESS_KEY=keys[1])

    def run(self, *command, cwd, endpoint=None, limit=180, variables={}):
        environment = self.environment | variables
        if endpoint:
            environment["AWS_ENDPOINT_URL"] = endpoint
        start = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="surrogateescape")
        is_late = False
        # Second by second: time in which this program too stood still, because the machine slept, is not the process's.
        for _ in range(limit):
            try:
                output, errors = process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            process.kill()
            output, errors = process.communicate()
            is_late = True
        return Outcome(" ".join(map(str, command)), process.returncode, output, errors, time.monotonic() - start, is_late)

    def must(self, *command, **options):
        outcome = self.run(*command, **options)
        if outcome.code != 0:
            raise RuntimeError(f"{outcome.command} exited with {outcome.code}: {outcome.errors[-1000:]}")
        return outcome

    def program(self, *arguments, **options):
        return self.run(self.dv, *arguments, **options)

    # -- Repositories

    def repository(self, name):
        work = self.folder / name
        work.mkdir(parents=True)
        self.must("git", "init", "-q", "-b", "main", cwd=work)
        self.must(self.dv, "init", "-q", cwd=work)
        self.commit(work)
        return work

    def commit(self, work, message="change"):
        self.must("git", "add", "-A", cwd=work)
        self.must("git", "commit", "-q", "--allow-empty", "-m", message, cwd=work)

    def add(self, work, *targets):
        self.must(self.dv, "add", "-q", *targets, cwd=work)
        self.commit(work)

    def point(self, work, url):
        """Makes `url` the remote of one clone."""
        (work / ".git/dv").mkdir(exist_ok=True)
        self.must("git", "config", "-f", ".git/dv/config", "remote.origin.url", url, cwd=work)

    def copy(self, work, name, url=None):
        """Copies a repository as it is, with its store."""
        copy = self.folder / name
        shutil.copytree(work, copy, symlinks=True)
        # The copy is another clone: what it knows of remotes is not true of it.
        shutil.rmtree(copy / ".git/dv/remotes", ignore_errors=True)
        if url:
            self.point(copy, url)
        return copy

    def clone(self, work, name, url):
        """Clones with git alone, as a colleague does: no data, no store."""
        clone = self.folder / name
        self.must("git", "clone", "-q", work, clone, cwd=self.folder)
        self.point(clone, url)
        return clone

    def remove(self, *places):
        for place in places:
            shutil.rmtree(place, ignore_errors=True)


def noise(count, seed):
    return random.Random(seed).randbytes(count)


def small_tree(folder, seed, files=12):
    """A few files of all kinds: empty, text, noise, executable, in directories, with names that need quoting."""
    source = random.Random(seed)
    names = [f"d{n % 3}/f{n}" for n in range(files)] + ["a b+c%20&é", "sub/deep/er/x.csv", "empty"]
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "empty" else source.randbytes(source.randrange(1, 20_000)))
    # Its name holds the seed, so that two trees share no content, not even a link's.
    (folder / f"sub/table{seed}.txt").write_text("".join(f"{n},{source.random()}\n" for n in range(5_000)))
    (folder / "d0/run").write_bytes(source.randbytes(50))
    (folder / "d0/run").chmod(0o755)
    (folder / "link").symlink_to(f"sub/table{seed}.txt")


def snapshot(place):
    """What a file or directory holds: path to (kind, bytes). Absent things hold nothing."""
    found = {}

    def look(path, name):
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            found[name] = ("link", os.readlink(path).encode())
        elif stat.S_ISDIR(info.st_mode):
            found[name] = ("directory", b"")
            for child in sorted(path.iterdir()):
                look(child, f"{name}/{child.name}" if name else child.name)
        else:
            found[name] = ("program" if info.st_mode & 0o100 else "file", path.read_bytes())

    if os.path.lexists(place):
        look(Path(place), "")
    return found


class Data:
    """What a version's targets hold, to compare with what arrives."""

    def __init__(self, work, targets):
        self.targets = {target: snapshot(work / target) for target in targets}

    def compare(self, clone):
        """The paths that are missing in a clone, and the ones that are there with other content or should not be."""
        missing, wrong = [], []
        for target, wanted in self.targets.items():
            there = snapshot(clone / target)
            for name, content in wanted.items():
                path = f"{target}/{name}" if name else target
                if name not in there:
                    missing.append(path)
                elif there[name] != content:
                    wrong.append(path)
            wrong += [f"{target}/{name}" for name in there if name not in wanted]
        return missing, wrong


class Proxy:
    """The proxy of this folder, as a process of its own."""

    def __init__(self, server):
        script = Path(__file__).resolve().parent / "proxy.py"
        self.process = subprocess.Popen(
            [script, "--upstream", f"127.0.0.1:{server.port}", "--keys", ":".join(server.keys)], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if len(line) != 2:
            raise SystemExit("the proxy did not start")
        self.endpoint = line[1]

    def plan(self, **plan):
        urllib.request.urlopen(urllib.request.Request(
            self.endpoint + "/-/plan", method="PUT", data=json.dumps(plan).encode()), timeout=30).read()

    def counts(self):
        with urllib.request.urlopen(self.endpoint + "/-/counts", timeout=30) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
