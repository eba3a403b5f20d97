"""All checks, in the order in which a deployment stands or falls with them."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from worker import wiring
from worker.clock import SystemClock
from worker.doctor.brokers import kafka_findings
from worker.doctor.clocks import against_kravia, ask_kernel, kernel_finding
from worker.doctor.findings import Finding, fail, ok, warn
from worker.doctor.kravia import answer_finding
from worker.doctor.machine import document_findings, machine_findings
from worker.doctor.proxy import environment_finding, reach
from worker.kafka.security import Unusable, connection_of
from worker.kravia.probe import probe
from worker.observe import observing
from worker.settings import Loaded, Purpose, Refused, Settings, load

_SETTINGS: Final = "settings"


def settings_findings(loaded: Loaded | Refused) -> list[Finding]:
    """What is wrong or odd with the settings."""
    found = [warn(_SETTINGS, "odd", warning, "see worker config --describe") for warning in loaded.warnings]
    if isinstance(loaded, Refused):
        remedy = "correct it; worker config --describe has each setting's meaning and bounds"
        return [*found, *(fail(_SETTINGS, "refused", str(problem), remedy) for problem in loaded.problems)]
    count = sum(origin != "default" for origin in loaded.origins.values())
    return [ok(_SETTINGS, "all", f"{count} set, the rest at their defaults"), *found]


def load_settings(env_file: Path, *, observe: bool) -> Loaded | Refused:
    """The settings that `worker run` would have; those of observe mode need no token."""
    return load(env_file=env_file, purpose=Purpose.TOPICS if observe else Purpose.RUN)


async def examine(settings: Settings, *, observe: bool = False) -> AsyncIterator[Finding]:
    """Each finding as it is made. `observe`: the topics and group of observe mode, and no call to Kravia."""
    settings = observing(settings) if observe else settings
    for finding in machine_findings(settings):
        yield finding
    yield kernel_finding(ask_kernel(), settings.worker_clock_error)
    connection = connection_of(settings)
    if isinstance(connection, Unusable):
        yield fail("kafka", "security", connection.detail, "correct the setting that it names")
    else:
        async for finding in kafka_findings(settings, connection):
            yield finding
    if observe:
        return
    async for finding in _kravia(settings):
        yield finding
    async for finding in document_findings(settings):
        yield finding
    if settings.worker_tracing == "on":
        yield _tracing(settings)


async def _kravia(settings: Settings) -> AsyncIterator[Finding]:
    proxy = settings.forward_proxy
    ignored = environment_finding(proxy, os.environ)
    if ignored is not None:
        yield ignored
    if proxy is not None:
        yield await reach(proxy, settings.kravia_connect_timeout)
    try:
        probed = await probe(wiring.kravia_config(settings), wiring.token_source(settings), SystemClock())
    except ValueError as error:
        yield fail("kravia", "settings", str(error), "correct the file that it names")
        return
    yield answer_finding(probed, settings.kravia_base_url, proxy)
    for finding in against_kravia(probed, settings.worker_clock_error):
        yield finding


def _tracing(settings: Settings) -> Finding:
    if wiring.can_trace():
        return ok("tracing", "WORKER_TRACING=on", "its packages are installed; where spans go say the OTEL_… variables")
    return fail("tracing", "WORKER_TRACING=on", "its packages are not installed", "install kravia-invoice-worker[otel]")
