"""`KAFKA_*` and `TOPIC_*`."""

import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from worker.model import TopicNames
from worker.settings.fields import count, optional, optional_file, seconds, size, topic

SERVERS = "host:port, several separated by commas, without a scheme"

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def _bootstrap_servers(text: str) -> str:
    servers = [server.strip() for server in text.split(",")]
    for server in servers:
        host, _, port = server.rpartition(":")
        if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError(SERVERS)
    return ",".join(servers)


class KafkaSettings(BaseModel):
    """How to reach Kafka, and the time-outs of membership and transactions."""

    kafka_bootstrap_servers: Annotated[str, AfterValidator(_bootstrap_servers)] = Field(
        description="Brokers to ask first.", json_schema_extra={"allowed": SERVERS}
    )
    kafka_group_id: str = Field(
        default="kravia-invoice-worker",
        min_length=1,
        max_length=249,
        description="Consumer group. Every ledger partition names it; a worker of another group refuses to start, "
        "since two groups on one ledger would bill everything twice.",
    )
    kafka_group_instance_id: str | None = optional(
        "Static membership: a name of its own for each process (a StatefulSet's pod name). A restart within the "
        "session time-out then causes no rebalance; in return a stopped member's partitions wait a session time-out. "
        "Two processes with one name fight for ever."
    )
    kafka_client_id: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=249,
        description="Name of this process towards the brokers. Range assignment sorts members by it, so it should "
        "stay the same over restarts; in Kubernetes that is the pod's name.",
        json_schema_extra={"default": "the host's name"},
    )
    kafka_security_protocol: SecurityProtocol = Field(
        default="PLAINTEXT", description="How connections to the brokers are secured."
    )
    kafka_sasl_mechanism: SaslMechanism | None = Field(
        default=None, description="SASL mechanism; required with `SASL_PLAINTEXT` and `SASL_SSL`."
    )
    kafka_sasl_username: str | None = optional("SASL user; required with `SASL_PLAINTEXT` and `SASL_SSL`.")
    kafka_sasl_password: SecretStr | None = optional("SASL password; required with `SASL_PLAINTEXT` and `SASL_SSL`.")
    kafka_ssl_ca_file: Path | None = optional_file(
        "PEM file of the certificate authorities that sign the brokers' certificates; absent: the system's."
    )
    kafka_ssl_cert_file: Path | None = optional_file("PEM file of the client certificate (chain), for mutual TLS.")
    kafka_ssl_key_file: Path | None = optional_file("PEM file of the client certificate's private key.")
    kafka_ssl_key_password: SecretStr | None = optional("Password of the private key, where it is encrypted.")
    kafka_request_timeout: float = seconds(40, "Longest wait for a broker's answer to one request.", at_most=600)
    kafka_session_timeout: float = seconds(
        30,
        "A member whose heartbeat stops for so long is evicted and its partitions are taken over. The broker bounds "
        "it (`group.min.session.timeout.ms` and `group.max.session.timeout.ms`).",
        at_most=1_800,
    )
    kafka_heartbeat_interval: float = seconds(
        3, "Time between heartbeats; a third of the session time-out is usual, half of it the most."
    )
    kafka_rebalance_timeout: float = seconds(
        60, "How long a rebalance waits for members to drain and rejoin; not below the drain time-out.", at_most=3_600
    )
    kafka_max_poll_interval: float = seconds(
        300, "A member that does not poll for so long leaves the group. The poll loop goes on while the gate is closed."
    )
    kafka_transaction_timeout: float = seconds(
        60,
        "The broker aborts a transaction that stays open for longer. The worker closes its own after a third of it. "
        "Bounded by the broker's `transaction.max.timeout.ms` (900 s by default).",
        at_most=900,
    )
    kafka_max_poll_records: int = count(500, "Most records taken from the consumer at once.", at_most=100_000)
    kafka_fetch_max_wait: float = seconds(0.5, "How long a broker may hold back a fetch that has little.", at_most=60)
    kafka_fetch_max_bytes: int = size(52_428_800, "Most bytes in one fetch answer.", at_least=1_024)
    kafka_max_partition_fetch_bytes: int = size(
        1_048_576,
        "Most bytes for each partition in one fetch answer; a larger batch still comes, alone.",
        at_least=1_024,
    )


class TopicSettings(BaseModel):
    """The six topics' names."""

    topic_requests: str = topic("invoice.requests", "Invoice events, written by upstream producers.")
    topic_replays: str = topic(
        "invoice.replays", "Dead letters sent again and what a person decided; written by the operator's commands only."
    )
    topic_journal: str = topic("invoice.journal", "What was done in the world; written by the worker only.")
    topic_ledger: str = topic("invoice.ledger", "Identity → how it stands; compacted, written by the worker only.")
    topic_outcomes: str = topic("invoice.outcomes", "One outcome event for each input record.")
    topic_dead_letters: str = topic("invoice.dead-letters", "Records that did not end well, byte for byte.")

    @property
    def topic_names(self) -> TopicNames:
        """The six names as the rest of the worker takes them."""
        return TopicNames(
            requests=self.topic_requests,
            replays=self.topic_replays,
            journal=self.topic_journal,
            ledger=self.topic_ledger,
            outcomes=self.topic_outcomes,
            dead_letters=self.topic_dead_letters,
        )
