#!/usr/bin/env python3
"""Checks the manifest on standard input (swift package dump-package) against the floors of the house.

A target uses targets of lower floors only, never of its own. What may use which outside package is listed, because
each one is a decision. A new target needs a line here: that is the moment to ask on which floor it lives.
"""
import json
import sys

FLOORS = {
    "CGit2": 0, "CZlib": 0, "CZstd": 0, "CLinux": 0, "CSHA256": 0, "CSQLite": 0, "CWebPage": 0,
    "DVObject": 1, "DVFile": 1, "DVZlib": 1, "DVZstd": 1, "DVGit": 1, "DVSQLite": 1,
    "DVBackend": 2, "DVPipeline": 2, "DVContent": 2,
    "DVStore": 3, "DVS3": 3,
    "DVWorkspace": 4, "DVLineage": 4,
    "DVRepository": 5,
    "DVServer": 6,
    "dv": 7,
}
# Floors 0 and 1 touch the outside world: each system library has one wall.
WALLS = {"CGit2": {"DVGit"}, "CZlib": {"DVZlib"}, "CZstd": {"DVZstd"}, "CLinux": {"DVFile"}, "CSHA256": {"DVObject"}, "CSQLite": {"DVSQLite"}, "CWebPage": {"DVServer"}}
OUTSIDE = {
    "Crypto": {"DVObject", "DVS3", "DVLineage"},
    "ArgumentParser": {"dv"},
    "AsyncHTTPClient": {"DVS3"},
    "NIOCore": {"DVS3"},
    "NIOPosix": {"DVS3"},
    "NIOHTTP1": {"DVS3"},
    "NIOSSL": {"DVS3"},
    "Hummingbird": {"DVServer"},
    "Yams": {"DVPipeline"},
    "Subprocess": {"DVPipeline", "DVRepository"},
}
ANYWHERE = {"SystemPackage"}  # paths and descriptors are vocabulary, except for the pure floor
PURE = {"DVObject", "DVPipeline"}


def names(target):
    """The targets and products that a target depends on."""
    for dependency in target["dependencies"]:
        kind, value = next(iter(dependency.items()))
        yield kind, value[0]


def complaints(manifest):
    for target in manifest["targets"]:
        name = target["name"]
        if target["type"] == "test" or name == "DVTesting":
            continue
        if name not in FLOORS:
            yield f"'{name}' has no floor"
            continue
        for _, used in names(target):
            if used in FLOORS:
                if FLOORS[used] >= FLOORS[name]:
                    yield f"'{name}' (floor {FLOORS[name]}) uses '{used}' (floor {FLOORS[used]}): only lower floors"
                if name not in WALLS.get(used, {name}):
                    yield f"'{name}' uses '{used}', which is behind the wall of {sorted(WALLS[used])}"
            elif used in ANYWHERE:
                if name in PURE:
                    yield f"'{name}' is pure and uses '{used}'"
            elif name not in OUTSIDE.get(used, set()):
                yield f"'{name}' uses '{used}', which is not decided"


found = list(complaints(json.load(sys.stdin)))
for complaint in found:
    print(f"floors: {complaint}", file=sys.stderr)
sys.exit(1 if found else 0)
