"""Which settings do not fit together, and which files can't be read. Every finding names settings, values, remedy."""

import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from worker.settings.model import NAMES, Settings
from worker.settings.text import shown


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: the settings it is about (fields, lower case), their values as shown, and what to do."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    remedy: str

    def __str__(self) -> str:
        pairs = ", ".join(f"{name.upper()}={value}" for name, value in zip(self.names, self.values, strict=True))
        return f"{pairs}: {self.remedy}"


def _problem(settings: Settings, remedy: str, *names: str) -> Problem:
    return Problem(names, tuple(shown(name, getattr(settings, name)) for name in names), remedy)


def problems(settings: Settings, *, calls_kravia: bool = True) -> list[Problem]:
    """Everything about `settings` that the worker refuses to start with.

    `calls_kravia` False leaves out what only matters to who calls the API: topics can be made without a token.
    """
    found = [*_budgets(settings), *_membership(settings), *_kafka_security(settings), *_topics(settings)]
    found += [*_retries(settings), *_faults(settings), *_files(settings, calls_kravia=calls_kravia)]
    if calls_kravia:
        found += _kravia(settings)
    return found


def cautions(settings: Settings) -> list[str]:
    """What is allowed and yet deserves a warning at start."""
    found = []
    if settings.kafka_security_protocol == "SASL_PLAINTEXT" and settings.kafka_sasl_mechanism == "PLAIN":
        found.append("KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT with PLAIN sends the password in the clear")
    if settings.kravia_allow_plain_http and settings.kravia_base_url.startswith("http://"):
        found.append("KRAVIA_BASE_URL is http://: the token and personal data travel in the clear")
    if settings.document_allow_networks:
        found.append("DOCUMENT_ALLOW_NETWORKS: events may make the worker ask hosts in these networks")
    if settings.worker_fault_point is not None:
        found.append(f"WORKER_FAULT_POINT={settings.worker_fault_point}: this process will end or freeze itself")
    return found


def _budgets(s: Settings) -> Iterator[Problem]:
    needed = s.kravia_register_timeout + s.worker_commit_timeout
    if needed > s.worker_drain_timeout:
        yield _problem(
            s,
            "a register on its way is never cancelled, and its outcome must still be committed: register time-out + "
            f"commit time-out must fit into the drain time-out; set WORKER_DRAIN_TIMEOUT to {needed:g} or more, or "
            "lower the other two",
            "kravia_register_timeout",
            "worker_commit_timeout",
            "worker_drain_timeout",
        )
    if s.worker_drain_timeout > s.kafka_rebalance_timeout:
        yield _problem(
            s,
            "a member that drains for longer than a rebalance waits is thrown out: the drain time-out must not exceed "
            "the rebalance time-out",
            "worker_drain_timeout",
            "kafka_rebalance_timeout",
        )
    if s.worker_drain_timeout >= s.worker_grace:
        yield _problem(
            s,
            "the platform would kill the worker while it drains: the grace (Kubernetes: terminationGracePeriodSeconds, "
            "set both) must be longer than the drain time-out",
            "worker_drain_timeout",
            "worker_grace",
        )
    if s.worker_intent_validity + s.longest_open_transaction >= s.kafka_transaction_timeout:
        yield _problem(
            s,
            "the broker could end a transaction while an intent in it still counts: intent validity + a third of the "
            "transaction time-out (how long the worker keeps one open) must be less than the transaction time-out; "
            f"set KAFKA_TRANSACTION_TIMEOUT above {s.worker_intent_validity * 1.5:g}",
            "worker_intent_validity",
            "kafka_transaction_timeout",
        )


def _membership(s: Settings) -> Iterator[Problem]:
    if s.kafka_heartbeat_interval * 2 > s.kafka_session_timeout:
        yield _problem(
            s,
            "one lost heartbeat must not end a membership: the session time-out must be at least twice the heartbeat "
            "interval",
            "kafka_heartbeat_interval",
            "kafka_session_timeout",
        )
    if s.kafka_session_timeout > s.kafka_rebalance_timeout:
        yield _problem(
            s,
            "a rebalance must outwait a member that died: the session time-out must not exceed the rebalance time-out",
            "kafka_session_timeout",
            "kafka_rebalance_timeout",
        )
    if s.worker_drain_timeout >= s.kafka_max_poll_interval:
        yield _problem(
            s,
            "nothing is polled while a rebalance drains: the longest time between polls must exceed the drain time-out",
            "worker_drain_timeout",
            "kafka_max_poll_interval",
        )
    if s.kafka_max_partition_fetch_bytes > s.kafka_fetch_max_bytes:
        yield _problem(
            s,
            "one partition's share must not exceed the whole fetch",
            "kafka_max_partition_fetch_bytes",
            "kafka_fetch_max_bytes",
        )


def _kafka_security(s: Settings) -> Iterator[Problem]:
    protocol = "kafka_security_protocol"
    sasl = ("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password")
    if s.kafka_security_protocol.startswith("SASL_"):
        for name in sasl:
            if getattr(s, name) is None:
                yield _problem(s, f"{name.upper()} is required with this protocol", protocol, name)
    elif given := [name for name in sasl if getattr(s, name) is not None]:
        yield _problem(
            s,
            "SASL settings have no effect with this protocol; use SASL_SSL (or SASL_PLAINTEXT), or remove them",
            protocol,
            *given,
        )
    tls = ("kafka_ssl_ca_file", "kafka_ssl_cert_file", "kafka_ssl_key_file", "kafka_ssl_key_password")
    if s.kafka_security_protocol not in ("SSL", "SASL_SSL"):
        if given := [name for name in tls if getattr(s, name) is not None]:
            yield _problem(
                s,
                "TLS settings have no effect with this protocol; use SSL or SASL_SSL, or remove them",
                protocol,
                *given,
            )
    elif (s.kafka_ssl_cert_file is None) != (s.kafka_ssl_key_file is None):
        yield _problem(
            s,
            "a client certificate needs its private key, and the other way round: set both or none",
            "kafka_ssl_cert_file",
            "kafka_ssl_key_file",
        )
    elif s.kafka_ssl_key_password is not None and s.kafka_ssl_key_file is None:
        yield _problem(s, "a key's password without a key", "kafka_ssl_key_password", "kafka_ssl_key_file")


def _topics(s: Settings) -> Iterator[Problem]:
    by_topic: dict[str, list[str]] = {}
    for name in NAMES:
        if name.startswith("topic_"):
            by_topic.setdefault(getattr(s, name), []).append(name)
    for topic, names in by_topic.items():
        if len(names) > 1:
            yield _problem(s, "the six topics must differ from one another", *names)
        if topic in (".", ".."):
            yield _problem(s, "Kafka does not allow this name", *names)


def _retries(s: Settings) -> Iterator[Problem]:
    for lower, upper in (
        ("worker_retry_base", "worker_retry_cap"),
        ("worker_gate_probe_interval", "worker_gate_probe_max"),
    ):
        if getattr(s, lower) > getattr(s, upper):
            yield _problem(s, "the first must not exceed the second", lower, upper)


def _faults(s: Settings) -> Iterator[Problem]:
    if s.worker_fault_point is not None and not s.worker_allow_faults:
        yield _problem(
            s,
            "a fault point kills or freezes the worker on purpose; remove it, or set WORKER_ALLOW_FAULTS=1 in a test",
            "worker_fault_point",
            "worker_allow_faults",
        )


def _kravia(s: Settings) -> Iterator[Problem]:
    if (s.kravia_token is None) == (s.kravia_token_file is None):
        yield _problem(
            s,
            "exactly one of the two must be set; a file is read again when it changes, so a token can be replaced "
            "without a restart",
            "kravia_token",
            "kravia_token_file",
        )
    url = urlsplit(s.kravia_base_url)
    if url.scheme == "http" and not s.kravia_allow_plain_http and not _is_loopback(url.hostname or ""):
        yield _problem(
            s,
            "the token and personal data would travel in the clear; use https://, or set KRAVIA_ALLOW_PLAIN_HTTP=1 "
            "where something else protects the way",
            "kravia_base_url",
            "kravia_allow_plain_http",
        )
    if url.scheme == "http" and s.kravia_proxy is not None:
        yield _problem(
            s,
            "without TLS to Kravia a proxy's answer can't be told from Kravia's, and an invoice could be billed twice "
            "or given up; use https://, or remove KRAVIA_PROXY",
            "kravia_base_url",
            "kravia_proxy",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _files(s: Settings, *, calls_kravia: bool) -> Iterator[Problem]:
    for name in NAMES:
        path = getattr(s, name)
        if not name.endswith("_file") or not isinstance(path, Path):
            continue
        if name.startswith(("kravia_", "document_")) and not calls_kravia:
            continue
        if not path.is_file() or not os.access(path, os.R_OK):
            yield _problem(s, "must be a file that this process can read", name)
        elif path.stat().st_size == 0:
            yield _problem(s, "the file is empty", name)
    spool = s.document_spool_dir
    if calls_kravia and spool is not None and not (spool.is_dir() and os.access(spool, os.W_OK | os.X_OK)):
        yield _problem(s, "must be a directory that this process can write to", "document_spool_dir")
