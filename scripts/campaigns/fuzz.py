#!/usr/bin/env python3
"""libFuzzer on the parsers of everything that a stranger may write. Not a program.

The parsers are compiled by themselves (the configuration is libgit2's to read), with AddressSanitizer and a digest that is the same for all bytes: a fuzzer cannot make
bytes that fit a SHA-256, and would see nothing of what lies behind one. Crashes are kept in `.build/fuzz/crashes`.
"""
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from campaign import ROOT, Tally

# Each with the longest input that is made.
TARGETS = {"config": 1024, "pointer": 1100, "tree": 8192, "chunklist": 4096, "pack": 4096, "index": 8192, "hints": 4096, "record": 2200, "format": 600, "xml": 2048}
# More memory than any of them may take, sanitizer and fuzzer included, in MB; and how long one input may take, in seconds.
MEMORY, SECONDS = 1024, 10

SOURCES = [
    "DVS3/XML/DeleteResult.swift", "DVS3/XML/ListBucketResult.swift", "DVS3/XML/MultipartResults.swift", "DVS3/XML/S3Answer.swift",
    "DVS3/XML/S3AnswerError.swift", "DVS3/XML/S3ErrorBody.swift", "DVS3/XML/XMLError.swift", "DVS3/XML/XMLReader.swift",
    "DVS3/Signing/CivilTime.swift", "DVS3/Signing/CivilTime+Text.swift", "DVS3/Signing/PercentEncoding.swift",
    "DVStore/Remote/RootRecord.swift", "DVStore/Transfer/TransferRoot.swift", "DVStore/Layout/StoreFormat.swift"]


def build(folder):
    """Compiles the fuzzer, unless it is newer than all it is made of."""
    program, fuzz = folder / "fuzz", ROOT / "Tests/Fuzz"
    sources = [ROOT / "Sources" / name for name in SOURCES]
    pure = sorted((ROOT / "Sources/DVObject").rglob("*.swift"))
    lineage = [ROOT / "Sources/DVLineage/Record.swift", ROOT / "Sources/DVLineage/RecordError.swift"]
    inputs = [*sources, *pure, *lineage, *fuzz.rglob("*.swift"), *(ROOT / "Sources/CSHA256").rglob("*.[ch]")]
    if program.exists() and all(program.stat().st_mtime > path.stat().st_mtime for path in inputs):
        return program
    folder.mkdir(parents=True, exist_ok=True)
    empty = folder / "Empty.swift"
    empty.write_text("")
    header = ROOT / "Sources/CSHA256/include/CSHA256.h"
    (folder / "module.modulemap").write_text(f'module CSHA256 {{ header "{header}" export * }}\n')
    subprocess.run(["clang", "-O2", "-c", "-I", header.parent, ROOT / "Sources/CSHA256/sha256.c", "-o", folder / "sha256.o"], check=True)
    features = [word for name in ("ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility") for word in ("-enable-upcoming-feature", name)]

    def module(name, files, *more):
        subprocess.run(
            ["swiftc", "-O", "-g", "-wmo", "-swift-version", "6", "-parse-as-library", "-sanitize=fuzzer,address", "-module-name", name,
             "-package-name", "dv", "-I", folder, "-Xcc", f"-fmodule-map-file={folder / 'module.modulemap'}", "-emit-module",
             "-emit-module-path", folder / f"{name}.swiftmodule", "-c", *files, "-o", folder / f"{name}.o", *features, *more], check=True)

    module("Crypto", [fuzz / "Shims/Crypto.swift"])
    module("DVFile", [fuzz / "Shims/DVFile.swift"])
    module("DVBackend", [empty])
    module("DVObject", pure)
    module("DVLineage", lineage)
    module("Fuzz", [*sources, fuzz / "FuzzTargets.swift"])
    objects = [folder / f"{name}.o" for name in ("Crypto", "DVFile", "DVBackend", "DVObject", "DVLineage", "Fuzz", "sha256")]
    subprocess.run(["swiftc", "-sanitize=fuzzer,address", *objects, "-o", program], check=True)
    return program


def build_config(folder):
    """Compiles the fuzzer of what libgit2 reads for dv."""
    program, source = folder / "fuzz-config", ROOT / "Tests/Fuzz/ConfigTarget.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libgit2"], check=True, capture_output=True, text=True).stdout.split()
        subprocess.run(["clang", "-O1", "-g", "-fsanitize=fuzzer,address", "-fuse-ld=lld", source, "-o", program, *flags], check=True)
    return program


def run(options, folder):
    kept = ROOT / ".build/fuzz"
    program = build(kept)
    seeds = folder / "seeds"
    seeds.mkdir()
    subprocess.run([program], env=os.environ | {"FUZZ_SEEDS": str(seeds), "FUZZ_TARGET": "pointer"}, check=True)
    config = build_config(kept)
    (seeds / "config").mkdir()
    subprocess.run([config], env=os.environ | {"FUZZ_SEEDS": str(seeds / "config")}, check=True)
    tally = Tally(f"fuzzing, seed {options.seed}, at most {MEMORY} MB and {SECONDS} s for an input")
    (kept / "crashes").mkdir(exist_ok=True)

    def one(name):
        corpus = kept / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        result = subprocess.run(
            [config if name == "config" else program, f"-runs={options.count}", f"-seed={options.seed}", f"-max_len={TARGETS[name]}", f"-rss_limit_mb={MEMORY}",
             f"-malloc_limit_mb={MEMORY // 2}", f"-timeout={SECONDS}", "-print_final_stats=1", f"-artifact_prefix={kept}/crashes/{name}-", corpus, seeds / name],
            # Swift's own report of a crash and the sanitizer's get in each other's way.
            env=os.environ | {"FUZZ_TARGET": name, "SWIFT_BACKTRACE": "enable=no"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", result.stdout))
        covered = re.findall(r"cov: (\d+)", result.stdout)
        tally.add(name, executions=int(stats.get("number_of_executed_units", 0)), covered=int(covered[-1]) if covered else 0,
                  corpus=len(list(corpus.iterdir())), peak_MB=int(stats.get("peak_rss_mb", 0)))
        if result.returncode:
            tally.problem(name, f"the fuzzer ended with {result.returncode}: {result.stdout[-1500:]}")
        print(f"{name}: {tally.rows[name]}", flush=True)

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, [name for name in TARGETS if not options.only or name in options.only]))
    return tally
