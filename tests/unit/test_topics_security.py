"""Security settings become what aiokafka's clients take; bad files are told, not raised."""

import ssl
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr

from worker.kafka.security import Connection, Security, Unusable, client_options, connection_of, security_of
from worker.settings import Settings
from worker.settings.kafka import SaslMechanism, SecurityProtocol


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate, its key, and the key encrypted."""
    folder = tmp_path_factory.mktemp("pem")
    subject = ["-subj", "/CN=test", "-days", "2"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *subject, "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", "key.pem", "-out", "locked.pem", "-passout", "pass:right"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def test_plaintext_needs_nothing_else() -> None:
    assert client_options(Security()) == {"security_protocol": "PLAINTEXT"}


def test_tls_checks_the_brokers_certificate_and_name(pem: Path) -> None:
    options = client_options(Security("SSL", ca_file=pem / "cert.pem"))
    assert isinstance(options, dict)
    context = options["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(("key", "password"), [("key.pem", None), ("locked.pem", SecretStr("right"))])
def test_a_client_certificate_is_loaded(pem: Path, key: str, password: SecretStr | None) -> None:
    security = Security("SSL", cert_file=pem / "cert.pem", key_file=pem / key, key_password=password)
    assert isinstance(client_options(security), dict)


@pytest.mark.parametrize("password", [None, SecretStr("wrong")])
def test_a_locked_key_without_its_password_is_told_and_never_asked_for(pem: Path, password: SecretStr | None) -> None:
    security = Security("SSL", cert_file=pem / "cert.pem", key_file=pem / "locked.pem", key_password=password)
    refused = client_options(security)
    assert isinstance(refused, Unusable)
    assert "KAFKA_SSL_KEY_PASSWORD" in refused.detail
    assert "wrong" not in refused.detail.replace("is wrong", "")


def test_a_ca_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    refused = client_options(Security("SASL_SSL", ca_file=tmp_path / "ca.pem"))
    assert isinstance(refused, Unusable)
    assert f"KAFKA_SSL_CA_FILE={tmp_path / 'ca.pem'}" in refused.detail


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_sasl(protocol: SecurityProtocol, mechanism: SaslMechanism) -> None:
    settings = Settings(
        kafka_bootstrap_servers="a:1, b:2",
        kafka_client_id="me",
        kafka_security_protocol=protocol,
        kafka_sasl_mechanism=mechanism,
        kafka_sasl_username="user",
        kafka_sasl_password=SecretStr("word"),
        kafka_request_timeout=7.5,
    )
    connection = connection_of(settings)
    assert isinstance(connection, Connection)
    options = connection.options
    assert (options.pop("ssl_context", None) is not None) == (protocol == "SASL_SSL")
    assert options == {
        "bootstrap_servers": ["a:1", "b:2"],
        "client_id": "me",
        "request_timeout_ms": 7500,
        "security_protocol": protocol,
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "user",
        "sasl_plain_password": "word",
    }


def test_no_secret_is_shown() -> None:
    settings = Settings(
        kafka_bootstrap_servers="a:1",
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="PLAIN",
        kafka_sasl_username="user",
        kafka_sasl_password=SecretStr("s3cr3t"),
    )
    assert "s3cr3t" not in repr(security_of(settings))
    assert "s3cr3t" not in repr(connection_of(settings))
