"""Where settings come from: environment, dotenv file and secrets directory, and names that are none."""

from pathlib import Path

import pytest

from tests.unit.fakes_settings import GOOD, SECRET, loaded, refusals
from worker.settings import Loaded, load


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (GOOD | {"KAFKA_GROUP_ID": "mine"}).items():
        monkeypatch.setenv(name, value)
    result = load(env_file=None)
    assert isinstance(result, Loaded)
    assert result.settings.kafka_group_id == "mine"
    assert result.origins["kafka_group_id"] == "environment"


def test_environment_goes_before_dotenv_before_the_secrets_directory(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("KAFKA_GROUP_ID=dotenv\nKAFKA_CLIENT_ID=dotenv\n")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("KAFKA_GROUP_ID", "kafka_client_id", "KAFKA_GROUP_INSTANCE_ID", "kafka_sasl_username"):
        (secrets / name).write_text("directory\n")
    protocol = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_PASSWORD": SECRET}
    result = loaded(dotenv, KAFKA_GROUP_ID="environment", WORKER_SECRETS_DIR=str(secrets), **protocol)
    assert result.settings.kafka_group_id == "environment"
    assert result.settings.kafka_client_id == "dotenv"
    assert result.settings.kafka_group_instance_id == "directory"
    assert result.settings.kafka_sasl_username == "directory"
    assert result.origins["kafka_group_id"] == "environment"
    assert result.origins["kafka_client_id"] == str(dotenv)
    assert result.origins["kafka_sasl_username"] == str(secrets)
    assert result.origins["topic_ledger"] == "default"


def test_secrets_may_be_the_symlinks_that_kubernetes_mounts(tmp_path: Path) -> None:
    (tmp_path / "..2025").mkdir()
    (tmp_path / "..2025" / "KRAVIA_TOKEN").write_text(f"{SECRET}\n")
    (tmp_path / "..data").symlink_to("..2025")
    (tmp_path / "KRAVIA_TOKEN").symlink_to("..data/KRAVIA_TOKEN")
    result = load({"KAFKA_BOOTSTRAP_SERVERS": "a:1", "WORKER_SECRETS_DIR": str(tmp_path)}, None)
    assert isinstance(result, Loaded), result
    assert result.settings.kravia_token is not None
    assert result.settings.kravia_token.get_secret_value() == SECRET
    assert result.warnings == ()


def test_a_named_secrets_directory_must_be_there(tmp_path: Path) -> None:
    [refusal] = refusals(WORKER_SECRETS_DIR=str(tmp_path / "none"))
    assert refusal == f"WORKER_SECRETS_DIR={tmp_path / 'none'}: must be a directory that this process can read"


def test_a_secret_that_is_no_text_is_refused_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "KRAVIA_TOKEN").write_bytes(b"\xff\xfe\x00")
    [refusal] = [r for r in refusals(WORKER_SECRETS_DIR=str(tmp_path)) if "WORKER_SECRETS_DIR" in r]
    assert "could not be read as text" in refusal


def test_an_empty_value_counts_as_not_set() -> None:
    assert loaded(KAFKA_GROUP_INSTANCE_ID="", WORKER_GRACE="").settings.worker_grace == 60


def test_a_typo_draws_a_warning_with_the_closest_name(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("KRAVIA_TOKN=x\nUNRELATED=x\n")
    warnings = loaded(dotenv, WORKER_INTENT_VALIDTY="3", KAFKA_UNHEARD_OF_THING="1").warnings
    assert warnings == (
        "KRAVIA_TOKN (" + str(dotenv) + ") is no setting and has no effect; did you mean KRAVIA_TOKEN?",
        "KAFKA_UNHEARD_OF_THING (environment) is no setting and has no effect",
        "WORKER_INTENT_VALIDTY (environment) is no setting and has no effect; did you mean WORKER_INTENT_VALIDITY?",
    )


def test_what_kubernetes_adds_for_a_service_draws_no_warning() -> None:
    links = {
        "KAFKA_SERVICE_HOST": "10.0.0.1",
        "KAFKA_SERVICE_PORT": "9092",
        "KAFKA_SERVICE_PORT_TCP_CLIENT": "9092",
        "KAFKA_PORT": "tcp://10.0.0.1:9092",
        "KAFKA_PORT_9092_TCP": "tcp://10.0.0.1:9092",
        "KAFKA_PORT_9092_TCP_ADDR": "10.0.0.1",
    }
    assert loaded(None, **links).warnings == ()
