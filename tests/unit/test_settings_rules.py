"""Every combination that is refused: its names, its values, its remedy; and its harmless neighbour."""

from pathlib import Path

import pytest

from worker.settings import Loaded, Refused, load

GOOD = {"KAFKA_BOOTSTRAP_SERVERS": "localhost:9092", "KRAVIA_TOKEN": "token"}
SASL = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "user",
    "KAFKA_SASL_PASSWORD": "word",
}

REFUSED = [
    (
        {"DOCUMENT_SPOOL_DIR": "/proc/none"},
        "DOCUMENT_SPOOL_DIR=/proc/none",
        "must be a directory that this process can write to",
    ),
    ({"DOCUMENT_CA_FILE": "/proc/none"}, "DOCUMENT_CA_FILE=/proc/none", "must be a file that this process can read"),
    (
        {"WORKER_DRAIN_TIMEOUT": "39.9"},
        "KRAVIA_REGISTER_TIMEOUT=30, WORKER_COMMIT_TIMEOUT=10, WORKER_DRAIN_TIMEOUT=39.9",
        "set WORKER_DRAIN_TIMEOUT to 40 or more",
    ),
    (
        {"WORKER_DRAIN_TIMEOUT": "61", "WORKER_GRACE": "70"},
        "WORKER_DRAIN_TIMEOUT=61, KAFKA_REBALANCE_TIMEOUT=60",
        "must not exceed the rebalance time-out",
    ),
    ({"WORKER_GRACE": "45"}, "WORKER_DRAIN_TIMEOUT=45, WORKER_GRACE=45", "must be longer than the drain time-out"),
    (
        {"WORKER_INTENT_VALIDITY": "40"},
        "WORKER_INTENT_VALIDITY=40, KAFKA_TRANSACTION_TIMEOUT=60",
        "set KAFKA_TRANSACTION_TIMEOUT above 60",
    ),
    (
        {"KAFKA_HEARTBEAT_INTERVAL": "16"},
        "KAFKA_HEARTBEAT_INTERVAL=16, KAFKA_SESSION_TIMEOUT=30",
        "at least twice the heartbeat interval",
    ),
    (
        {"KAFKA_SESSION_TIMEOUT": "61"},
        "KAFKA_SESSION_TIMEOUT=61, KAFKA_REBALANCE_TIMEOUT=60",
        "must not exceed the rebalance time-out",
    ),
    (
        {"KAFKA_MAX_POLL_INTERVAL": "45"},
        "WORKER_DRAIN_TIMEOUT=45, KAFKA_MAX_POLL_INTERVAL=45",
        "must exceed the drain time-out",
    ),
    (
        {"KAFKA_FETCH_MAX_BYTES": "2048", "KAFKA_MAX_PARTITION_FETCH_BYTES": "4096"},
        "KAFKA_MAX_PARTITION_FETCH_BYTES=4096, KAFKA_FETCH_MAX_BYTES=2048",
        "must not exceed the whole fetch",
    ),
    (
        {"WORKER_RETRY_BASE": "61"},
        "WORKER_RETRY_BASE=61, WORKER_RETRY_CAP=60",
        "the first must not exceed the second",
    ),
    (
        {"WORKER_GATE_PROBE_MAX": "0.5"},
        "WORKER_GATE_PROBE_INTERVAL=1, WORKER_GATE_PROBE_MAX=0.5",
        "the first must not exceed the second",
    ),
    (
        {"TOPIC_REPLAYS": "invoice.requests"},
        "TOPIC_REQUESTS=invoice.requests, TOPIC_REPLAYS=invoice.requests",
        "must differ",
    ),
    ({"TOPIC_LEDGER": ".."}, "TOPIC_LEDGER=..", "Kafka does not allow this name"),
    ({"KRAVIA_TOKEN": ""}, "KRAVIA_TOKEN=(not set), KRAVIA_TOKEN_FILE=(not set)", "exactly one"),
    ({"KRAVIA_TOKEN_FILE": __file__}, f"KRAVIA_TOKEN=********, KRAVIA_TOKEN_FILE={__file__}", "exactly one"),
    (
        {"KRAVIA_BASE_URL": "http://api.kravia.ai"},
        "KRAVIA_BASE_URL=http://api.kravia.ai, KRAVIA_ALLOW_PLAIN_HTTP=0",
        "use https://",
    ),
    (
        {"KRAVIA_BASE_URL": "http://localhost:8080", "KRAVIA_PROXY": "http://user:word@proxy:3128"},
        "KRAVIA_BASE_URL=http://localhost:8080, KRAVIA_PROXY=********",
        "a proxy's answer can't be told from Kravia's",
    ),
    (
        {"WORKER_FAULT_POINT": "committed:kill"},
        "WORKER_FAULT_POINT=committed:kill, WORKER_ALLOW_FAULTS=0",
        "set WORKER_ALLOW_FAULTS=1 in a test",
    ),
    (
        SASL | {"KAFKA_SASL_MECHANISM": ""},
        "KAFKA_SECURITY_PROTOCOL=SASL_SSL, KAFKA_SASL_MECHANISM=(not set)",
        "KAFKA_SASL_MECHANISM is required",
    ),
    (
        SASL | {"KAFKA_SASL_USERNAME": ""},
        "KAFKA_SECURITY_PROTOCOL=SASL_SSL, KAFKA_SASL_USERNAME=(not set)",
        "KAFKA_SASL_USERNAME is required",
    ),
    (
        SASL | {"KAFKA_SASL_PASSWORD": ""},
        "KAFKA_SECURITY_PROTOCOL=SASL_SSL, KAFKA_SASL_PASSWORD=(not set)",
        "KAFKA_SASL_PASSWORD is required",
    ),
    (
        {"KAFKA_SASL_USERNAME": "user", "KAFKA_SASL_PASSWORD": "word"},
        "KAFKA_SECURITY_PROTOCOL=PLAINTEXT, KAFKA_SASL_USERNAME=user, KAFKA_SASL_PASSWORD=********",
        "SASL settings have no effect",
    ),
    (
        {"KAFKA_SSL_CA_FILE": __file__},
        f"KAFKA_SECURITY_PROTOCOL=PLAINTEXT, KAFKA_SSL_CA_FILE={__file__}",
        "TLS settings have no effect",
    ),
    (
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CERT_FILE": __file__},
        f"KAFKA_SSL_CERT_FILE={__file__}, KAFKA_SSL_KEY_FILE=(not set)",
        "set both or none",
    ),
    (
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEY_PASSWORD": "word"},
        "KAFKA_SSL_KEY_PASSWORD=********, KAFKA_SSL_KEY_FILE=(not set)",
        "a key's password without a key",
    ),
    (
        {"KRAVIA_CA_FILE": "/nowhere/ca.pem"},
        "KRAVIA_CA_FILE=/nowhere/ca.pem",
        "must be a file that this process can read",
    ),
]


@pytest.mark.parametrize(("values", "told", "remedy"), REFUSED, ids=[told for _, told, _ in REFUSED])
def test_refused(values: dict[str, str], told: str, remedy: str) -> None:
    result = load(GOOD | values, None)
    assert isinstance(result, Refused)
    [refusal] = [str(problem) for problem in result.problems]
    assert refusal.startswith(f"{told}: ")
    assert remedy in refusal


@pytest.mark.parametrize(
    "values",
    [
        {"WORKER_DRAIN_TIMEOUT": "40"},
        {"WORKER_DRAIN_TIMEOUT": "60", "WORKER_GRACE": "60.1"},
        {"WORKER_INTENT_VALIDITY": "39.9"},
        {"KAFKA_SESSION_TIMEOUT": "6"},
        {"KAFKA_SESSION_TIMEOUT": "60"},
        {"KRAVIA_BASE_URL": "http://localhost:8080/"},
        {"KRAVIA_BASE_URL": "http://127.0.0.2:8080"},
        {"KRAVIA_BASE_URL": "http://[::1]:8080"},
        {"KRAVIA_BASE_URL": "http://kravia.internal", "KRAVIA_ALLOW_PLAIN_HTTP": "1"},
        {"KRAVIA_TOKEN": "", "KRAVIA_TOKEN_FILE": __file__},
        {"KRAVIA_PROXY": "https://user:word@proxy:3128/"},
        {"WORKER_FAULT_POINT": "committed:kill", "WORKER_ALLOW_FAULTS": "1"},
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CERT_FILE": __file__, "KAFKA_SSL_KEY_FILE": __file__},
        SASL,
        SASL | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
    ],
    ids=str,
)
def test_not_refused(values: dict[str, str]) -> None:
    assert isinstance(load(GOOD | values, None), Loaded)


def test_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch()
    result = load({"KAFKA_BOOTSTRAP_SERVERS": "a:1", "KRAVIA_TOKEN_FILE": str(token)}, None)
    assert isinstance(result, Refused)
    assert [str(problem) for problem in result.problems] == [f"KRAVIA_TOKEN_FILE={token}: the file is empty"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"KRAVIA_BASE_URL": "http://kravia.internal", "KRAVIA_ALLOW_PLAIN_HTTP": "1"}, "in the clear"),
        (SASL | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "PLAIN"}, "in the clear"),
        ({"DOCUMENT_ALLOW_NETWORKS": "10.0.0.0/8"}, "DOCUMENT_ALLOW_NETWORKS"),
    ],
)
def test_what_is_allowed_and_risky_is_a_warning(values: dict[str, str], told: str) -> None:
    result = load(GOOD | values, None)
    assert isinstance(result, Loaded)
    [warning] = result.warnings
    assert told in warning


def test_a_rule_about_a_wrong_value_is_not_told_twice() -> None:
    result = load(GOOD | {"WORKER_DRAIN_TIMEOUT": "soon", "WORKER_GRACE": "1"}, None)
    assert isinstance(result, Refused)
    assert [problem.names for problem in result.problems] == [("worker_drain_timeout",)]
