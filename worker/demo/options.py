"""The options of `worker demo`."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`rate` in events per second (0: as fast as it goes), `timeout` in seconds."""

    events: int = 400
    partitions: int = 4
    seed: int = 1
    rate: float = 40.0
    timeout: float = 180.0
    plain: bool = False
    kill_worker: bool = True


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


def _not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The demo's options, with the defaults of `Options`."""
    default = Options()
    parser.add_argument("--events", type=_positive, default=default.events, help="how many to send (%(default)s)")
    parser.add_argument("--partitions", type=_positive, default=default.partitions, help="of each topic (%(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="same seed, same events (%(default)s)")
    parser.add_argument(
        "--rate",
        type=_not_negative,
        default=default.rate,
        help="events per second, 0: as fast as it goes (%(default)g)",
    )
    parser.add_argument(
        "--timeout", type=_not_negative, default=default.timeout, help="give up after so many seconds (%(default)g)"
    )
    parser.add_argument("--plain", action="store_true", help="plain lines, also on a terminal")
    parser.add_argument(
        "--kill-worker",
        action=argparse.BooleanOptionalAction,
        default=default.kill_worker,
        help="kill -9 the worker midway and start it again (on)",
    )


def options(parsed: argparse.Namespace) -> Options:
    """What was asked for; `parsed` comes from a parser with `add_arguments`."""
    return Options(
        events=parsed.events,
        partitions=parsed.partitions,
        seed=parsed.seed,
        rate=parsed.rate,
        timeout=parsed.timeout,
        plain=parsed.plain,
        kill_worker=parsed.kill_worker,
    )
