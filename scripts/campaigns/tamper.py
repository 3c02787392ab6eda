#!/usr/bin/env python3
"""Every byte class of every record, pointer, tag and git object changed in turn: does `dv audit` find it? Not a program."""
import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

from campaign import Tally, each

# A token of a record, a pointer or a tag: a byte in it stands for all its bytes.
TOKEN = re.compile(rb"[0-9]+|[A-Za-z_]+|[^0-9A-Za-z_\s]|\s")

STORY = """
git init -q -b main . && git init -q --bare ../server.git && git remote add origin ../server.git
{dv} -q init && git add . && git commit -qm dv && {dv} -q remote add lab ../lab
mkdir raw && seq 1 300 > raw/a.txt && seq 5 400 > raw/b.txt && seq 2000 > big.txt && {dv} -q add raw big.txt
printf 'sort raw/a.txt raw/b.txt > clean.txt\\n' > clean.sh && printf 'head -n "$1" clean.txt > model.bin\\n' > train.sh && printf 'n: 7\\n' > params.yaml
git add . && git commit -qm 'Data and code'
{dv} -q run -n clean -d raw -d clean.sh -o clean.txt -- sh clean.sh
{dv} -q run -n train -d clean.txt -d train.sh -p params.yaml:n -o model.bin -- sh train.sh 7
git add . && git commit -qm 'A model'
{dv} -q model register m model.bin --version v1.0.0 --describe 'The first one' && {dv} -q model promote m v1.0.0 production -m 'good'
{dv} -q run -o other.txt -- 'head -n 3 raw/a.txt > other.txt' && git reset -q --hard && rm -f other.txt
{dv} -q run --force -n train -d clean.txt -d train.sh -p params.yaml:n -o model.bin -- sh train.sh 9
git add . && git commit -qm 'Another model'
{dv} -q model register m model.bin --version v1.1.0 && {dv} -q model promote m v1.1.0 production && {dv} -q model promote m v1.0.0 staging
git push -q origin main --tags && {dv} -q push
"""
ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
}


class Story:
    """A repository with a history, a remote that saw it, and copies of both to be altered."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.environment = os.environ | ENVIRONMENT | {"HOME": str(folder)}
        self.original = folder / "original"
        (self.original / "work").mkdir(parents=True)
        subprocess.run(["sh", "-ec", STORY.format(dv=options.dv)], cwd=self.original / "work", env=self.environment, check=True)
        self.work = self.original / "work"
        self.baseline = self.audit(self.work, True)

    def git(self, work, *words, **keywords):
        return subprocess.run(["git", *words], cwd=work, env=self.environment, check=True, capture_output=True, **keywords).stdout

    def copy(self, number):
        place = self.folder / f"case-{number}"
        shutil.copytree(self.original, place, symlinks=True)
        return place / "work"

    def audit(self, work, asks):
        """The findings and the exit code; what the program itself says if it prints no report."""
        words = [str(self.options.dv), "audit", "--json"] + (["--remote", "lab"] if asks else [])
        done = subprocess.run(words, cwd=work, env=self.environment, capture_output=True, timeout=120)
        try:
            report = json.loads(done.stdout)
        except ValueError:
            return done.returncode, {("no report", done.stderr.decode(errors="replace")[:200])}
        return done.returncode, {(finding["kind"], finding["subject"]) for finding in report["findings"]}


def changed(content, dice, count):
    """The content with one byte of each token changed into another of its class; at most `count` of them, all for 0."""
    tokens = list(TOKEN.finditer(content))
    if count and len(tokens) > count:
        tokens = dice.sample(tokens, count)
    for token in tokens:
        place = dice.randrange(token.start(), token.end())
        byte = content[place:place + 1]
        others = b"0123456789" if byte.isdigit() else b"abcdef" if byte in b"abcdef" else b"ghijklmnopqrstuvwxyz" if byte.islower() else \
            b"ABCDEFGHIJ" if byte.isupper() else b"x" if byte.isspace() else b";"
        other = dice.choice([value for value in others if value != byte[0]] or [ord("y")])
        yield place, content[:place] + bytes([other]) + content[place + 1:]


def cases(story, options):
    """Each case: a row of the table, a name, and what is done to a copy."""
    dice = random.Random(options.seed)
    work = story.work
    git = lambda *words: story.git(work, *words)
    files = [name for name in git("ls-files", "-z").decode().split("\0") if name]
    count = options.count

    def write(name, content):
        return lambda copy: (copy / name).write_bytes(content)

    def commit(name, content, amend):
        def act(copy):
            (copy / name).write_bytes(content)
            story.git(copy, "commit", "-qam", "altered", *(["--amend"] if amend else []))
            # Whoever rewrites history does it on the server too, and everybody fetches it.
            story.git(copy, "update-ref", "refs/remotes/origin/main", "HEAD")
        return act

    for name in files:
        kind = "record" if name.startswith(".dv/records/") else "pointer" if name.endswith(".dv") and not name.startswith(".dv/") else None
        if not kind:
            continue
        content = (work / name).read_bytes()
        for place, altered in changed(content, dice, count):
            yield f"{kind}, in the working tree", f"{name}:{place}", write(name, altered)
            yield f"{kind}, committed", f"{name}:{place}", commit(name, altered, False)
            yield f"{kind}, in rewritten history", f"{name}:{place}", commit(name, altered, True)
    for path in sorted((work / ".git/dv/records").glob("*/*.json")) + [work / ".git/dv/records/chain"]:
        name = str(path.relative_to(work))
        for place, altered in changed(path.read_bytes(), dice, count):
            yield "record of this clone", f"{name}:{place}", write(name, altered)
        # A record that git has too is lost nowhere.
        if not any(committed.endswith("/" + path.name) for committed in files):
            yield "record of this clone, gone", name, lambda copy, name=name: (copy / name).unlink()
    for path in sorted((work / "../lab/witness").iterdir()):
        name = os.path.relpath(path, work)
        for place, altered in changed(path.read_bytes(), dice, count):
            def act(copy, name=name, altered=altered):
                (copy / name).chmod(0o644)
                (copy / name).write_bytes(altered)
                shutil.rmtree(copy / ".git/dv/remotes/lab/witness")
            yield "witness on the remote", f"{name}:{place}", act
        yield "witness on the remote, gone", name, lambda copy, name=name: (copy / name).unlink()
    for tag in git("tag").decode().split():
        content = git("cat-file", "tag", tag)
        for place, altered in changed(content, dice, count):
            def act(copy, tag=tag, altered=altered):
                made = story.git(copy, "hash-object", "-t", "tag", "-w", "--stdin", "--literally", input=altered).decode().strip()
                # git refuses what is no tag at all: so the reference is written as a file.
                (copy / ".git/refs/tags" / tag).write_text(made + "\n")
            yield "tag", f"{tag}:{place}", act
        yield "tag, gone", tag, lambda copy, tag=tag: story.git(copy, "tag", "-d", tag)
        yield "tag, renamed", tag, lambda copy, tag=tag: story.git(copy, "update-ref", "refs/tags/" + tag.replace("m", "other", 1), "refs/tags/" + tag)
    # Objects of git, as they lie on the disk.
    wanted = {name for name in git("log", "--all", "--format=%H%n%T").decode().split()}
    wanted |= {git("rev-parse", "refs/tags/" + tag).decode().strip() for tag in git("tag").decode().split()}
    for line in git("rev-list", "--all", "--objects").decode().splitlines():
        oid, _, name = line.partition(" ")
        if name.endswith((".dv", ".json")):
            wanted.add(oid)
    for oid in sorted(wanted):
        path = Path(".git/objects") / oid[:2] / oid[2:]
        if not (work / path).exists():
            continue
        content = (work / path).read_bytes()
        # The last four bytes are a checksum that nobody needs, beside the name.
        for place in sorted({dice.randrange(2, len(content) - 4) for _ in range(max(1, min(count, 4)) if count else 4)}):
            def act(copy, path=path, place=place, content=content):
                (copy / path).chmod(0o644)
                (copy / path).write_bytes(content[:place] + bytes([content[place] ^ 1 << dice.randrange(8)]) + content[place + 1:])
            yield "git object on the disk", f"{oid}:{place}", act
        yield "git object, gone", oid, lambda copy, path=path: (copy / path).unlink()


def run(options, folder):
    tally = Tally(f"tamper, seed {options.seed}")
    story = Story(options, folder)
    code, before = story.baseline
    if code != 1 or {kind for kind, _ in before} != {"unknown-source", "no-inputs"}:
        tally.problem("baseline", f"exit {code}: {before}")

    def judge(case):
        number, (row, name, act) = case
        copy = story.copy(number)
        try:
            act(copy)
            code, found = story.audit(copy, True)
            new = found - before
            tally.add(row, cases=1, altered=int(code == 4), gaps=int(code == 1 and bool(new)))
            if code not in (1, 4) or not new:
                tally.problem(row, f"{name}: exit {code}, {sorted(new)}")
            # Without a remote, and with nothing that was seen of one: what git holds must tell.
            if row.startswith("tag"):
                shutil.rmtree(copy / ".git/dv/remotes")
                code, found = story.audit(copy, False)
                tally.add(row, found_without_witness=int(code in (1, 4) and bool(found - before)))
        finally:
            shutil.rmtree(copy.parent, ignore_errors=True)

    wanted = [case for case in cases(story, options) if not options.only or case[0].split(",")[0].split(" ")[0] in options.only]
    each(list(enumerate(wanted)), options.jobs, judge)
    return tally
