"""Each part's share of the settings, as the small frozen value that the part takes."""

from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from schemas.rules import RulePolicy
from worker.clock import SystemClock
from worker.decode import Limits
from worker.documents import DocumentsConfig
from worker.doubt import DoubtPolicy
from worker.gate import GatePolicy
from worker.kafka.consumer import ConsumerConfig
from worker.kravia import FileEncoding, FileToken, FixedToken, KraviaConfig, TokenSource
from worker.ownership import OwnershipConfig
from worker.pace import PacePolicy
from worker.retry import RetryPolicy
from worker.settings import Settings
from worker.spans import NO_TRACES, Tracer
from worker.sweep import SweepPolicy

if TYPE_CHECKING:
    from worker.telemetry.tracing import Export


def token_source(settings: Settings) -> TokenSource:
    """Where the token comes from. Raises ValueError, in words for the operator."""
    if settings.kravia_token_file is not None:
        return FileToken(settings.kravia_token_file, SystemClock().monotonic)
    assert settings.kravia_token is not None, "the settings' rules demand one of the two"
    return FixedToken(settings.kravia_token)


def can_trace() -> bool:
    """Whether the extra that tracing needs is installed."""
    try:
        return None not in map(find_spec, ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"))
    except ModuleNotFoundError:  # a package above it
        return False


def span_export(settings: Settings, version: str) -> "Export | None":
    """Where spans go; None: tracing is off. Raises ValueError, in words for the operator."""
    if settings.worker_tracing == "off":
        return None
    try:
        from worker.telemetry.tracing import Export  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ValueError(
            f"WORKER_TRACING=on: {error.name} is not installed; install kravia-invoice-worker[otel], or set it to off"
        ) from None
    return Export(instance=settings.kafka_client_id, version=version)


def tracer(settings: Settings, export: "Export | None", version: str) -> Tracer:
    """Makes the spans; without an export there are none."""
    if export is None:
        return NO_TRACES
    from worker.telemetry.tracing import OtelTracer  # noqa: PLC0415 - an extra

    server = urlsplit(settings.kravia_base_url).hostname or ""
    return OtelTracer(export.provider, group=settings.kafka_group_id, server=server, version=version)


def kravia_config(settings: Settings) -> KraviaConfig:
    """The client's part of the settings."""
    return KraviaConfig(
        base_url=settings.kravia_base_url,
        connect_timeout=settings.kravia_connect_timeout,
        read_timeout=settings.kravia_read_timeout,
        register_timeout=settings.kravia_register_timeout,
        attach_timeout=settings.kravia_attach_timeout,
        start_timeout=settings.kravia_start_timeout,
        query_timeout=settings.kravia_query_timeout,
        max_connections=settings.worker_max_in_flight,
        id_pointer=settings.kravia_id_pointer,
        already_exists_patterns=settings.kravia_already_exists_patterns,
        file_encoding=FileEncoding(settings.kravia_file_encoding),
        ca_file=settings.kravia_ca_file,
        proxy=settings.forward_proxy,
    )


def documents_config(settings: Settings) -> DocumentsConfig:
    """The document fetcher's part of the settings."""
    return DocumentsConfig(
        hosts=settings.allowed_hosts,
        networks=settings.allowed_networks,
        ca_file=settings.document_ca_file,
        connect_timeout=settings.document_connect_timeout,
        timeout=settings.document_timeout,
        redirects=settings.document_redirects,
        connections=settings.document_connections,
        spool_dir=settings.document_spool_dir,
        spool_bytes=settings.document_spool_bytes,
    )


def limits(settings: Settings) -> Limits:
    """What one event may ask for."""
    return Limits(reference_bytes=settings.document_max_bytes)


def gate_policy(settings: Settings) -> GatePolicy:
    """The gate's part of the settings."""
    return GatePolicy(
        failures=settings.worker_gate_failures,
        probe_interval=settings.worker_gate_probe_interval,
        probe_max=settings.worker_gate_probe_max,
    )


def pace_policy(settings: Settings) -> PacePolicy:
    """The pace's part of the settings."""
    return PacePolicy(settings.worker_max_in_flight, settings.kravia_slow_answer, settings.kravia_calls_per_second)


def retry_policy(settings: Settings) -> RetryPolicy:
    """The retries' part of the settings."""
    return RetryPolicy(
        attempts=settings.worker_retry_attempts,
        elapsed=settings.worker_retry_elapsed,
        base=settings.worker_retry_base,
        cap=settings.worker_retry_cap,
        not_visible_elapsed=settings.worker_not_visible_elapsed,
    )


def ownership_config(settings: Settings, partitions: int) -> OwnershipConfig:
    """The partition owners' part of the settings."""
    return OwnershipConfig(
        topics=settings.topic_names,
        group=settings.kafka_group_id,
        partitions=partitions,
        intent_validity=settings.worker_intent_validity,
        settle_interval=settings.worker_settle_interval,
        commit_timeout=settings.worker_commit_timeout,
        transaction_timeout=settings.kafka_transaction_timeout,
    )


def doubt_policy(settings: Settings) -> DoubtPolicy:
    """What is waited for before anything is believed about a doubt."""
    return DoubtPolicy(
        intent_validity=settings.worker_intent_validity,
        register_timeout=settings.kravia_register_timeout,
        late_processing=settings.kravia_late_processing,
        search_delay=settings.kravia_search_delay,
        clock_error=settings.worker_clock_error,
        disorder=settings.kravia_search_disorder,
        witness_timeout=settings.worker_witness_timeout,
        sweep_interval=settings.worker_sweep_interval,
        registers=settings.worker_doubt_registers,
        quarantine=settings.worker_in_doubt == "quarantine",
    )


def sweep_policy(settings: Settings) -> SweepPolicy:
    """The bounds of a sweep."""
    return SweepPolicy(page=settings.kravia_search_page, pages=settings.worker_sweep_pages)


def rule_policy(settings: Settings) -> RulePolicy:
    """What each rule of the contract does with an event that breaks it."""
    return settings.rule_policy


def consumer_config(settings: Settings) -> ConsumerConfig:
    """The group member's part of the settings."""
    return ConsumerConfig(
        group=settings.kafka_group_id,
        group_instance_id=settings.kafka_group_instance_id,
        session_timeout=settings.kafka_session_timeout,
        heartbeat_interval=settings.kafka_heartbeat_interval,
        rebalance_timeout=settings.kafka_rebalance_timeout,
        max_poll_interval=settings.kafka_max_poll_interval,
        max_poll_records=settings.kafka_max_poll_records,
        fetch_max_wait=settings.kafka_fetch_max_wait,
        fetch_max_bytes=settings.kafka_fetch_max_bytes,
        max_partition_fetch_bytes=settings.kafka_max_partition_fetch_bytes,
        commit_timeout=settings.worker_commit_timeout,
    )
