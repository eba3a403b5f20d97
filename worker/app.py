"""The composition root: builds the worker from its settings, runs it until a signal, stops it."""

import asyncio
import gc
import signal
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

import structlog

from worker import wiring
from worker.backlog import Backlogs
from worker.clock import SystemClock
from worker.documents import HttpsDocuments
from worker.event_loop import new_event_loop
from worker.faults import faults
from worker.flow import Budget, Creditors
from worker.gate import Gate
from worker.kafka.consumer import GroupConsumer
from worker.kafka.producer import KafkaProducer
from worker.kafka.reader import KafkaAdmin, KafkaReader
from worker.kafka.security import Connection, Unusable, connection_of
from worker.kafka.topic_state import ClusterState
from worker.kravia import KraviaClient, TokenSource
from worker.lane import Lane, LaneConfig
from worker.observe import ObservedKravia, ObservedReconciler, observing
from worker.ownership import Ownership, take_over
from worker.ownership.ownership import Ports
from worker.ownership.trim import Trimmer
from worker.partitions import Partitions
from worker.pipeline import Pipeline
from worker.preflight import partitions_of, preflight
from worker.receipts import Desk
from worker.reconcile import Reconciler
from worker.settings import Settings
from worker.status import Status
from worker.telemetry.health import HealthServer
from worker.telemetry.intake import Limits
from worker.telemetry.logs import configure
from worker.telemetry.metrics import PrometheusObserver
from worker.tools import Tools

if TYPE_CHECKING:
    from worker.telemetry.tracing import Export

log = structlog.get_logger(__name__)

OK, FAILED, REFUSED = 0, 1, 2


def run(settings: Settings, *, observe: bool = False) -> int:
    """Process events until SIGTERM or SIGINT. Exit status: 0 stopped, 1 failed, 2 refused to start.

    `observe`: without a call to Kravia, on topics and a group of its own (`worker.observe`).
    """
    configure(settings.worker_log_format, settings.worker_log_level)
    _calm_collector()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
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
        worker = await _Worker.build(settings, connection, cluster, token, export)
    except ValueError as error:  # a CA file that can't be used
        log.error("refused_to_start", detail=str(error))
        return REFUSED
    try:
        return await worker.run()
    finally:
        await worker.close()


@dataclass(slots=True)
class _Worker:
    """Everything that runs."""

    settings: Settings
    consumer: GroupConsumer
    partitions: Partitions
    gate: Gate
    reconciler: Reconciler
    client: KraviaClient | ObservedKravia
    token: TokenSource | None
    trimmer: Trimmer
    health: HealthServer
    reader: KafkaReader
    admin: KafkaAdmin
    documents: HttpsDocuments
    backlogs: Backlogs
    export: "Export | None"

    @classmethod
    async def build(
        cls,
        settings: Settings,
        connection: Connection,
        cluster: ClusterState,
        token: TokenSource | None,
        export: "Export | None",
    ) -> "_Worker":
        """`token` None: observe, and call nobody."""
        clock, fault, topics = SystemClock(), faults(settings.fault_point), settings.topic_names
        version = metadata.version("kravia-invoice-worker")
        observer = PrometheusObserver(topics, version)
        tracer = wiring.tracer(settings, export, version)
        client = (
            ObservedKravia()
            if token is None
            else KraviaClient(wiring.kravia_config(settings), token, clock=clock, observer=observer, faults=fault)
        )
        documents = HttpsDocuments(wiring.documents_config(settings), clock, observer)
        gate = Gate(wiring.gate_policy(settings), lambda: client.search(clock.now(), skip=0, top=1), clock, observer)
        budget = Budget(settings.worker_max_in_flight, settings.worker_max_in_flight_bytes)
        reconciler = (
            ObservedReconciler(client, gate, clock, observer)
            if isinstance(client, ObservedKravia)
            else Reconciler(client, gate, wiring.doubt_policy(settings), wiring.sweep_policy(settings), clock, observer)
        )
        tools = Tools(
            client,
            documents,
            gate,
            Creditors(gate, clock, share=settings.worker_partition_window // 2),
            reconciler,
            budget,
            wiring.retry_policy(settings),
            clock,
            fault,
            observer,
            attach_unknown_to_person=settings.kravia_attach_unknown == "person",
            replay_limit=settings.worker_replay_limit,
            tracer=tracer,
        )
        reader, admin = KafkaReader(connection), KafkaAdmin(connection)
        ports = Ports(
            lambda name: KafkaProducer(connection, name, settings.kafka_transaction_timeout),
            reader,
            admin,
            clock,
            fault,
            observer,
        )
        owning = wiring.ownership_config(settings, partitions_of(cluster, topics.requests))
        lanes = LaneConfig(
            topics,
            Desk(
                settings.kafka_group_id,
                version,
                topics,
                partitions_of(cluster, topics.outcomes),
                partitions_of(cluster, topics.dead_letters),
                observed=token is None,
            ),
            owning.partitions,
            settings.worker_partition_window,
            settings.worker_drain_timeout,
            rules=wiring.rule_policy(settings),
            limits=wiring.limits(settings),
        )
        pipeline = Pipeline(tools)
        consumer = GroupConsumer(connection, wiring.consumer_config(settings), topics, admin, observer)

        def make_lane(own: Ownership) -> Lane:
            return Lane(lanes, own, pipeline, budget, clock, observer, tracer)

        partitions = Partitions(
            topics,
            consumer,
            lambda number: take_over(owning, ports, number),
            make_lane,
            observer,
            drain_timeout=settings.worker_drain_timeout,
        )
        consumer.sink = partitions
        trimmer = Trimmer(
            topics.journal,
            lambda: [lane.own for lane in partitions.lanes()],
            admin,
            fault,
            observer,
            settings.worker_trim_interval,
        )
        backlogs = Backlogs(
            consumer.ends, lambda: [(lane.own.partition, lane.own.prefixes) for lane in partitions.lanes()], clock
        )
        status = Status(
            consumer,
            partitions,
            gate,
            clock,
            backlogs,
            group=settings.kafka_group_id,
            version=version,
            creditors=tools.creditors,
            observing=token is None,
        )
        observer.gauges(status.gauges)
        limits = Limits(
            settings.worker_max_in_flight,
            settings.worker_max_in_flight_bytes,
            settings.worker_partition_window,
            observing=token is None,
        )
        observer.intake(status.intake, limits)
        health = HealthServer(
            settings.worker_http_host,
            settings.worker_http_port,
            expose=observer.expose,
            livez=status.livez,
            readyz=status.readyz,
            status=status.report,
        )
        return cls(
            settings,
            consumer,
            partitions,
            gate,
            reconciler,
            client,
            token,
            trimmer,
            health,
            reader,
            admin,
            documents,
            backlogs,
            export,
        )

    async def run(self) -> int:
        """Until a signal, or until a part of it fails."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            await self.health.start()
        except OSError as error:
            log.error("refused_to_start", detail=f"WORKER_HTTP_PORT={self.settings.worker_http_port}: {error.strerror}")
            return REFUSED
        if (lost := await self.consumer.start()) is not None:
            log.error("kafka_unreachable", why=lost.why.value, detail=lost.detail)
            return FAILED
        polling = asyncio.create_task(self.consumer.run(), name="poll")
        helpers = [
            asyncio.create_task(self.gate.run(), name="gate"),
            asyncio.create_task(self.reconciler.run(), name="reconcile"),
            asyncio.create_task(self.trimmer.run(), name="trim"),
            asyncio.create_task(self.backlogs.run(), name="backlog"),
            *([asyncio.create_task(_watch_token(self.token, self.gate), name="token")] if self.token else []),
        ]
        stopping = asyncio.create_task(stop.wait(), name="signal")
        done, _ = await asyncio.wait([polling, stopping, *helpers], return_when=asyncio.FIRST_COMPLETED)
        failed = [task for task in done if task is not stopping]
        for task in failed:
            log.error("task_ended", task=task.get_name(), exc_info=task.exception())
        log.info("stopping")
        # The loop goes on polling while it drains, so that this member stays one to the end.
        await self.partitions.close()
        await self.consumer.stop()
        for task in (polling, stopping, *helpers):
            task.cancel()
        await asyncio.gather(polling, stopping, *helpers, return_exceptions=True)
        log.info("stopped")
        return FAILED if failed else OK

    async def close(self) -> None:
        """Let go of every connection."""
        await self.health.stop()
        await self.client.close()
        await self.documents.close()
        await self.reader.close()
        await self.admin.close()
        if self.export is not None:
            await self.export.close()


async def _watch_token(token: TokenSource, gate: Gate) -> None:
    """A new token is tried at once: behind a gate that closed on 401 nothing else would ask for it."""
    known = token.generation
    while True:
        await asyncio.sleep(1.0)
        if token.generation != known:
            known = token.generation
            log.info("token_changed")
            gate.probe_now()
