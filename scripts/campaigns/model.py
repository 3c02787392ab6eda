#!/usr/bin/env python3
"""Random sequences of operations against a model in memory. Not a program."""
import suite


def run(options, folder):
    return suite.run(options, f"sequences of 50 operations, seed {options.seed}", "OperationModelTests",
                     {"DV_SEQUENCES_SEED": options.seed, "DV_SEQUENCES_COUNT": options.count})
