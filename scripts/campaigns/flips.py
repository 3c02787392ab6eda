#!/usr/bin/env python3
"""Damaged files of a store and a remote: what `dv fsck` finds, and what is delivered. Not a program."""
import suite


def run(options, folder):
    return suite.run(options, f"damage, seed {options.seed}", "FlipTests", {"DV_FLIPS_SEED": options.seed, "DV_FLIPS_COUNT": options.count})
