"""The settings' values: what is refused and in which words, what is reported, and that no secret is shown."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.unit.fakes_settings import SECRET, loaded, refusals
from worker.faults import FaultAction, FaultPoint
from worker.model import TopicNames
from worker.settings import Loaded, Purpose, Refused, Settings, load
from worker.settings.model import NAMES
from worker.settings.report import as_json, as_markdown, as_text
from worker.settings.text import description


def test_the_defaults_are_the_documented_ones_and_fit_together() -> None:
    settings = loaded().settings
    assert settings.worker_intent_validity == 5
    assert settings.kravia_register_timeout == 30
    assert (settings.kravia_late_processing, settings.kravia_search_delay, settings.kravia_search_disorder) == (
        300,
        120,
        60,
    )
    assert settings.worker_clock_error == 5
    assert (settings.worker_in_doubt, settings.kravia_attach_unknown) == ("witness", "resend")
    assert settings.worker_settle_interval == 0.05
    assert (settings.worker_commit_timeout, settings.worker_drain_timeout, settings.worker_grace) == (10, 45, 60)
    assert (settings.kafka_rebalance_timeout, settings.kafka_session_timeout) == (60, 30)
    assert (settings.kafka_transaction_timeout, settings.longest_open_transaction) == (60, 20)
    assert settings.topic_names == TopicNames()
    assert settings.fault_point is None


def test_settings_read_nothing_but_their_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_GROUP_ID", "from-the-environment")
    assert Settings(kafka_bootstrap_servers="a:1").kafka_group_id == "kravia-invoice-worker"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka", "host:port"),
        ("KAFKA_BOOTSTRAP_SERVERS", "PLAINTEXT://kafka:9092", "without a scheme"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI", "one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
        ("KRAVIA_REGISTER_TIMEOUT", "30s", "a number of seconds, more than 0, at most 600"),
        ("KRAVIA_REGISTER_TIMEOUT", "0", "more than 0"),
        ("WORKER_INTENT_VALIDITY", "nan", "a number of seconds"),
        ("WORKER_INTENT_VALIDITY", "inf", "a number of seconds"),
        ("WORKER_MAX_IN_FLIGHT", "1.5", "a whole number, at least 1"),
        ("WORKER_MAX_IN_FLIGHT_BYTES", "10", "a whole number of bytes, at least 1048576"),
        ("WORKER_HTTP_PORT", "70000", "at least 0, at most 65535"),
        ("WORKER_ALLOW_FAULTS", "perhaps", "1 or 0"),
        ("WORKER_LOG_FORMAT", "xml", "one of json, console"),
        ("TOPIC_LEDGER", "invoice ledger", "letters, digits, dot, underscore and dash"),
        ("KRAVIA_BASE_URL", "api.kravia.ai", "https://host"),
        ("DOCUMENT_ALLOW_HOSTS", "a.example,https://b.example", "entry 2 is none"),
        ("DOCUMENT_ALLOW_NETWORKS", "10.0.0.0/8,10.1.0.0/8", "entry 2 is none"),
        ("DOCUMENT_SPOOL_BYTES", "10", "a whole number of bytes, at least 1048576"),
        ("KRAVIA_BASE_URL", "https://api.kravia.ai/api/v2", "without /api/v2"),
        ("KRAVIA_BASE_URL", "https://api.kravia.ai:99999", "https://host"),
        ("KRAVIA_ID_POINTER", "data.id", "a JSON pointer"),
        ("KRAVIA_ALREADY_EXISTS_PATTERNS", "exists", "a JSON list of regular expressions"),
        ("KRAVIA_ALREADY_EXISTS_PATTERNS", '["(a"]', "number 1 is none"),
        ("KRAVIA_FILE_ENCODING", "hex", "one of base64, raw"),
        ("KRAVIA_ATTACH_UNKNOWN", "drop", "one of resend, person"),
        ("WORKER_IN_DOUBT", "retry", "one of witness, quarantine"),
        ("WORKER_FAULT_POINT", "commited:kill", "a step out of after-claim"),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    [refusal] = refusals(**{name: value})
    assert refusal.startswith(f"{name}={value}: allowed: ")
    assert allowed in refusal


def test_what_is_missing_is_named() -> None:
    result = load({}, None)
    assert isinstance(result, Refused)
    told = [str(problem) for problem in result.problems]
    assert told[0] == (
        "KAFKA_BOOTSTRAP_SERVERS=(not set): required; host:port, several separated by commas, without a scheme"
    )
    assert told[1].startswith("KRAVIA_TOKEN=(not set), KRAVIA_TOKEN_FILE=(not set): exactly one of the two must be set")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refusals(
        WORKER_LOG_LEVEL="loud", KRAVIA_READ_TIMEOUT="-1", WORKER_GRACE="20", TOPIC_JOURNAL="invoice.ledger"
    )
    assert len(told) == 4
    assert {line.split("=")[0] for line in told} == {
        "WORKER_LOG_LEVEL",
        "KRAVIA_READ_TIMEOUT",
        "WORKER_DRAIN_TIMEOUT",
        "TOPIC_JOURNAL",
    }


def test_no_refusal_shows_a_secret() -> None:
    told = refusals(
        KRAVIA_TOKEN=f"{SECRET} with blanks",
        KAFKA_SASL_PASSWORD=SECRET,
        KAFKA_SSL_KEY_PASSWORD=SECRET,
        KRAVIA_BASE_URL=f"https://user:{SECRET}@host",
        KRAVIA_PROXY=f"http://user:{SECRET}@proxy/path",
    )
    text = "\n".join(told)
    assert SECRET not in text
    assert "KRAVIA_TOKEN=********: allowed: printable ASCII" in text
    assert "KRAVIA_BASE_URL=https://********@host" in text
    assert "KAFKA_SASL_PASSWORD=********" in text
    assert "KRAVIA_PROXY=********: allowed: http://host[:port]" in text
    assert "this one has a path" in text


def test_not_even_a_failed_construction_shows_a_value() -> None:
    with pytest.raises(ValidationError) as failed:
        Settings(kafka_bootstrap_servers=SECRET)
    assert SECRET not in str(failed.value)


def test_topics_can_be_managed_without_a_token() -> None:
    result = load({"KAFKA_BOOTSTRAP_SERVERS": "a:1"}, None, purpose=Purpose.TOPICS)
    assert isinstance(result, Loaded)


def test_a_fault_point_is_a_value_and_a_warning() -> None:
    result = loaded(WORKER_FAULT_POINT="intent-acked:kill:2", WORKER_ALLOW_FAULTS="1")
    assert result.settings.fault_point == FaultPoint("intent-acked", FaultAction.KILL, 2)
    assert any("WORKER_FAULT_POINT" in warning for warning in result.warnings)


def test_a_proxy_is_where_the_setting_says_and_not_where_the_environment_does() -> None:
    proxy = loaded(KRAVIA_PROXY="http://user:word@proxy.example.com:3128").settings.forward_proxy
    assert proxy is not None
    assert proxy.url == "http://proxy.example.com:3128"
    others = {"HTTPS_PROXY": "http://proxy:1", "https_proxy": "http://proxy:1", "ALL_PROXY": "http://proxy:1"}
    assert loaded(None, **others).settings.forward_proxy is None


def test_patterns_are_a_json_list() -> None:
    settings = loaded(KRAVIA_ALREADY_EXISTS_PATTERNS='["already (exists|there)", "duplicate"]').settings
    assert settings.kravia_already_exists_patterns == ("already (exists|there)", "duplicate")


def test_the_report_masks_secrets_and_tells_origins() -> None:
    result = loaded(KAFKA_GROUP_ID="mine", KRAVIA_PROXY=f"http://user:{SECRET}@proxy:3128")
    assert SECRET not in repr(result)
    for text in (as_text(result), as_text(result, descriptions=True), as_json(result)):
        assert SECRET not in text
    lines = {line.split()[0]: line.split()[1:] for line in as_text(result).splitlines() if line and line[0] != "#"}
    assert set(lines) == {name.upper() for name in NAMES}
    assert lines["KRAVIA_TOKEN"] == ["********", "environment"]
    assert lines["KRAVIA_PROXY"] == ["********", "environment"]
    assert lines["KAFKA_GROUP_ID"] == ["mine", "environment"]
    assert lines["WORKER_GRACE"] == ["60", "default"]
    told = json.loads(as_json(result))
    assert told["KRAVIA_TOKEN"] == {"value": "********", "origin": "environment", "secret": True}
    assert told["KAFKA_SASL_PASSWORD"]["value"] is None
    assert told["WORKER_SETTLE_INTERVAL"]["value"] == 0.05


def test_every_setting_is_described_and_guesses_say_so() -> None:
    for name in NAMES:
        assert description(name).endswith("."), name
    for guess in ("kravia_late_processing", "kravia_search_delay", "kravia_search_disorder"):
        assert "A guess" in description(guess)


def test_the_reference_page_is_in_sync() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
    assert page.read_text() == as_markdown(), "run: worker config --markdown > docs/reference/settings.md"
