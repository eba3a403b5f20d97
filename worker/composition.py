"""The composition root: builds the worker's parts from its settings and puts them together; starts none of them."""

from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from worker import wiring
from worker.backlog import Backlogs
from worker.clock import SystemClock
from worker.documents import HttpsDocuments
from worker.faults import faults
from worker.flow import Budget, Creditors
from worker.gate import Gate
from worker.kafka.consumer import GroupConsumer
from worker.kafka.producer import KafkaProducer
from worker.kafka.reader import KafkaAdmin, KafkaReader
from worker.kafka.security import Connection
from worker.kafka.topic_state import ClusterState
from worker.kravia import KraviaClient, TokenSource
from worker.lane import Lane, LaneConfig
from worker.observe import ObservedKravia, ObservedReconciler
from worker.ownership import Ownership, take_over
from worker.ownership.config import Ports
from worker.ownership.trim import Trimmer
from worker.pace import Pace, PacedQueries
from worker.partitions import Partitions
from worker.pipeline import Pipeline
from worker.preflight import partitions_of
from worker.receipts import Desk
from worker.reconcile import Reconciler
from worker.settings import Settings
from worker.status import Status
from worker.telemetry.health import HealthServer
from worker.telemetry.intake import Limits
from worker.telemetry.metrics import PrometheusObserver
from worker.tools import Tools

if TYPE_CHECKING:
    from worker.telemetry.tracing import Export


@dataclass(slots=True)
class Parts:
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


async def build(
    settings: Settings,
    connection: Connection,
    cluster: ClusterState,
    token: TokenSource | None,
    export: "Export | None",
) -> Parts:
    """Called on the loop that will run them. `token` None: observe, and call nobody.

    Raises ValueError, in words for the operator: a CA file that can't be used.
    """
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
    pace = Pace(wiring.pace_policy(settings), clock)
    queries = PacedQueries(client, pace)
    # Not by the pace: who waits at a closed gate has the turn, and waits for this.
    gate = Gate(wiring.gate_policy(settings), lambda: client.search(clock.now(), skip=0, top=1), clock, observer, pace)
    budget = Budget(settings.worker_max_in_flight, settings.worker_max_in_flight_bytes)
    reconciler = (
        ObservedReconciler(client, gate, clock, observer)
        if isinstance(client, ObservedKravia)
        else Reconciler(queries, gate, wiring.doubt_policy(settings), wiring.sweep_policy(settings), clock, observer)
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
    return Parts(
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
