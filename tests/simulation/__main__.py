"""`python -m tests.simulation --seed N --trace` replays a run; `--seeds N` runs many and tells what happened."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.run import simulate


def main() -> int:
    """Exit status 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="one run")
    parser.add_argument("--trace", action="store_true", help="print what happened, with --seed")
    parser.add_argument("--seeds", type=int, default=1000, help="so many runs, from --first on")
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    if options.seed is not None:
        result = simulate(options.seed, trace=options.trace)
        print("\n".join(result.trace))
        print("\n".join(result.violations) or f"seed {options.seed}: every promise was kept")
        return 1 if result.violations else 0
    return many(range(options.first, options.first + options.seeds))


def many(seeds: range) -> int:
    """Run them and print a summary."""
    broken, counts, began = 0, Counter[str](), time.process_time()
    for seed in seeds:
        result = simulate(seed)
        counts += result.counts
        if result.violations:
            broken += 1
            print(f"seed {seed}: {'; '.join(result.violations)}")
            print(f"  replay: python -m tests.simulation --seed {seed} --trace")
    spent = time.process_time() - began
    print(", ".join(f"{what} {count}" for what, count in sorted(counts.items())))
    print(f"{len(seeds)} seeds, {broken} broken, {len(seeds) / spent:.0f} seeds per second of CPU")
    return 1 if broken else 0


sys.exit(main())
