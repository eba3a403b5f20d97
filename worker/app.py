"""The worker as a process: refuses to start or starts its parts, runs until a signal, stops them in order."""

import asyncio
import gc
import signal
from importlib import metadata

import structlog
import uvloop

from worker import wiring
from worker.composition import Parts, build
from worker.gate import Gate
from worker.kafka.security import Unusable, connection_of
from worker.kravia import TokenSource
from worker.observe import observing
from worker.preflight import preflight
from worker.settings import Settings
from worker.telemetry.logs import configure

log = structlog.get_logger(__name__)

OK, FAILED, REFUSED = 0, 1, 2


def run(settings: Settings, *, observe: bool = False) -> int:
    """Process events until SIGTERM or SIGINT. Exit status: 0 stopped, 1 failed, 2 refused to start.

    `observe`: without a call to Kravia, on topics and a group of its own (`worker.observe`).
    """
    configure(settings.worker_log_format, settings.worker_log_level)
    _calm_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(observing(settings) if observe else settings, observe=observe))


def _calm_collector() -> None:
    """Let the garbage collector run less often: at its defaults it took a quarter of the CPU.

    Measured in docs/explanation/benchmarks.md. Thousands of events under way live for long enough to be looked through
    again and again, and next to nothing of what an event leaves behind is a cycle. What was imported lives for ever: it
    is not looked through at all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _serve(settings: Settings, *, observe: bool) -> int:
    connection = connection_of(settings)
    if isinstance(connection, Unusable):
        log.error("refused_to_start", detail=connection.detail)
        return REFUSED
    cluster = await preflight(settings, connection)
    if cluster is None:
        return REFUSED
    try:
        token = None if observe else wiring.token_source(settings)
        export = wiring.span_export(settings, metadata.version("kravia-invoice-worker"))
    except ValueError as error:
        log.error("refused_to_start", detail=str(error))
        return REFUSED
    if observe:
        log.info("observing", group=settings.kafka_group_id, outcomes=settings.topic_names.outcomes)
    try:
        parts = await build(settings, connection, cluster, token, export)
    except ValueError as error:  # a CA file that can't be used
        log.error("refused_to_start", detail=str(error))
        return REFUSED
    try:
        return await _run(parts)
    finally:
        await _close(parts)


async def _run(parts: Parts) -> int:
    """Until a signal, or until a part of it fails."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await parts.health.start()
    except OSError as error:
        log.error("refused_to_start", detail=f"WORKER_HTTP_PORT={parts.settings.worker_http_port}: {error.strerror}")
        return REFUSED
    if (lost := await parts.consumer.start()) is not None:
        log.error("kafka_unreachable", why=lost.why.value, detail=lost.detail)
        return FAILED
    polling = asyncio.create_task(parts.consumer.run(), name="poll")
    helpers = [
        asyncio.create_task(parts.gate.run(), name="gate"),
        asyncio.create_task(parts.reconciler.run(), name="reconcile"),
        asyncio.create_task(parts.trimmer.run(), name="trim"),
        asyncio.create_task(parts.backlogs.run(), name="backlog"),
        *([asyncio.create_task(_watch_token(parts.token, parts.gate), name="token")] if parts.token else []),
    ]
    stopping = asyncio.create_task(stop.wait(), name="signal")
    done, _ = await asyncio.wait([polling, stopping, *helpers], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in done if task is not stopping]
    for task in failed:
        log.error("task_ended", task=task.get_name(), exc_info=task.exception())
    log.info("stopping")
    # The loop goes on polling while it drains, so that this member stays one to the end.
    await parts.partitions.close()
    await parts.consumer.stop()
    for task in (polling, stopping, *helpers):
        task.cancel()
    await asyncio.gather(polling, stopping, *helpers, return_exceptions=True)
    log.info("stopped")
    return FAILED if failed else OK


async def _close(parts: Parts) -> None:
    """Let go of every connection."""
    await parts.health.stop()
    await parts.client.close()
    await parts.documents.close()
    await parts.reader.close()
    await parts.admin.close()
    if parts.export is not None:
        await parts.export.close()


async def _watch_token(token: TokenSource, gate: Gate) -> None:
    """A new token is tried at once: behind a gate that closed on 401 nothing else would ask for it."""
    known = token.generation
    while True:
        await asyncio.sleep(1.0)
        if token.generation != known:
            known = token.generation
            log.info("token_changed")
            gate.probe_now()
