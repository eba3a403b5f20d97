"""What was measured, for people and for programs."""

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from tests.bench.delays import Delays
from tests.bench.rounds import Pairs, Round, Spread

_PACKAGES = ("aiohttp", "aiokafka", "pydantic", "uvloop", "kravia-invoice-worker")


def surroundings(broker: str, *, partitions: int, concurrency: int) -> dict[str, Any]:
    """Where and with what it was measured; nothing that names the machine."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "broker": broker,
        "partitions": partitions,
        "concurrency": concurrency,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def table(where: Mapping[str, Any], pairs: list[Pairs], delay: Delays | None) -> str:
    """Markdown."""
    packages = ", ".join(f"{name} {number}" for name, number in where["packages"].items())
    lines = [
        f"{where['date']}, {where['cores']} cores, {where['broker']}, Python {where['python']}, {packages};",
        f"{where['partitions']} partitions, {where['concurrency']} events in flight.",
        "",
        "| latency of a call | limit | worker | worker / limit | limit, CPU | worker, CPU | CPU, limit / worker |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {one.latency * 1000:g} ms | {_rate(one.limit)} | {_rate(one.worker)} | {_spread(one.rate_ratio)} "
        f"| {_cpu(one.limit)} | {_cpu(one.worker)} | {_spread(one.cpu_ratio)} |"
        for one in pairs
    ]
    if delay is not None:
        lines += [
            "",
            f"| at {delay.rate:g} events/s ({delay.events} events) | p50 | p99 | most |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {name} | {measured.p50:.1f} ms | {measured.p99:.1f} ms | {measured.most:.1f} ms |"
            for name, measured in (
                ("record to register", delay.to_register),
                ("record to committed outcome", delay.to_outcome),
            )
        ]
    return "\n".join(lines)


def document(where: Mapping[str, Any], pairs: list[Pairs], delay: Delays | None) -> dict[str, Any]:
    """Everything, every round included, as JSON."""
    return {
        "surroundings": dict(where),
        "throughput": [
            {
                "latency_seconds": one.latency,
                "limit": [_round(round_) for round_ in one.limit],
                "worker": [_round(round_) for round_ in one.worker],
                "rate_ratio": asdict(one.rate_ratio),
                "cpu_ratio": asdict(one.cpu_ratio),
            }
            for one in pairs
        ],
        "delays_ms": None if delay is None else asdict(delay),
    }


def _round(one: Round) -> dict[str, float]:
    return {**asdict(one), "events_per_second": one.rate, "cpu_ms_per_event": one.cpu_ms}


def _rate(rounds: list[Round]) -> str:
    return f"{Spread.of([one.rate for one in rounds]).median:.0f}/s"


def _cpu(rounds: list[Round]) -> str:
    return f"{Spread.of([one.cpu_ms for one in rounds]).median:.2f} ms"


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.least:.2f}–{spread.most:.2f})"
