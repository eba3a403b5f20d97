"""`python -m tests.simulation --seed N --trace` replays a run; `--seeds N` runs many and tells what happened.

`--tooth NAME` takes a safeguard out of every run: with `--seeds N` the first seed is searched that notices it.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping

from tests.simulation import teeth_kafka, teeth_time
from tests.simulation.run import simulate
from tests.simulation.teeth import Tooth, bite, broken, search

TEETH: Mapping[str, Tooth] = {**teeth_kafka.TEETH, **teeth_time.TEETH}


def main() -> int:
    """Exit status 1 when a promise was broken; with `--tooth`, when a missing safeguard was not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="one run")
    parser.add_argument("--trace", action="store_true", help="print what happened, with --seed")
    parser.add_argument("--seeds", type=int, default=1000, help="so many runs, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--tooth", choices=["all", *TEETH], metavar="NAME", help=f"all, {', '.join(TEETH)}")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    if options.seed is not None:
        return one(options.seed, None if options.tooth in (None, "all") else TEETH[options.tooth], trace=options.trace)
    if options.tooth is not None:
        return bites(TEETH if options.tooth == "all" else {options.tooth: TEETH[options.tooth]}, seeds)
    return many(seeds)


def one(seed: int, tooth: Tooth | None, *, trace: bool) -> int:
    """One run, with or without a safeguard."""
    result = simulate(seed, trace=trace) if tooth is None else bite(tooth, seed, trace=trace)
    print("\n".join([*result.trace, *(result.violations or [f"seed {seed}: every promise was kept"])]))
    return 1 if result.violations else 0


def bites(teeth: Mapping[str, Tooth], seeds: range) -> int:
    """For each tooth the first seed that notices what is missing."""
    missed = 0
    for name, tooth in teeth.items():
        result = search(tooth, seeds)
        missed += result is None
        kept = "" if result is None or result.seed == tooth.seed else f" (kept: {tooth.seed})"
        masked = f", with {tooth.masked_by} out too" if tooth.masked_by else ""
        shown = [text for text in broken(result) if tooth.violation in text] if result is not None else []
        found = f"not noticed in {len(seeds)} seeds" if result is None else f"seed {result.seed}{kept}: {shown[0]}"
        print(f"{name}{masked}: {found}", flush=True)
    return 1 if missed else 0


def many(seeds: range) -> int:
    """Run them and print a summary."""
    noticed, counts, began = 0, Counter[str](), time.process_time()
    for seed in seeds:
        result = simulate(seed)
        counts += result.counts
        if result.violations:
            noticed += 1
            print(f"seed {seed}: {'; '.join(result.violations)}")
            print(f"  replay: python -m tests.simulation --seed {seed} --trace")
    spent = time.process_time() - began
    print(", ".join(f"{what} {count}" for what, count in sorted(counts.items())))
    print(f"{len(seeds)} seeds, {noticed} broken, {len(seeds) / spent:.0f} seeds per second of CPU")
    return 1 if noticed else 0


sys.exit(main())
