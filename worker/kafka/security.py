"""How connections to the brokers are secured: settings to the arguments that every aiokafka client takes."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from worker.settings import Settings


@dataclass(frozen=True, slots=True)
class Security:
    """Protocol (`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT`, `SASL_SSL`), PEM files and SASL credentials."""

    protocol: str = "PLAINTEXT"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: SecretStr | None = None
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None

    @property
    def tls(self) -> bool:
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def sasl(self) -> bool:
        return self.protocol.startswith("SASL_")


@dataclass(frozen=True, slots=True)
class Unusable:
    """A certificate or key that can't be used: what is wrong, in words for the operator."""

    detail: str


@dataclass(frozen=True, slots=True)
class Connection:
    """What every client of ours needs to reach the brokers."""

    bootstrap_servers: str
    client_id: str
    request_timeout: float
    """Seconds."""
    security: Mapping[str, Any] = field(repr=False)
    """What `client_options` gives. Not shown: the password is in it in clear."""

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments for AIOKafkaConsumer, AIOKafkaProducer and AIOKafkaAdminClient."""
        return {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "client_id": self.client_id,
            "request_timeout_ms": int(self.request_timeout * 1000),
            **self.security,
        }


def security_of(settings: Settings) -> Security:
    """The security settings, as a value."""
    return Security(
        protocol=settings.kafka_security_protocol,
        ca_file=settings.kafka_ssl_ca_file,
        cert_file=settings.kafka_ssl_cert_file,
        key_file=settings.kafka_ssl_key_file,
        key_password=settings.kafka_ssl_key_password,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=settings.kafka_sasl_password,
    )


def connection_of(settings: Settings) -> Connection | Unusable:
    """Everything that a client needs to connect; reads the certificate and key files."""
    arguments = client_options(security_of(settings))
    if isinstance(arguments, Unusable):
        return arguments
    return Connection(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        client_id=settings.kafka_client_id,
        request_timeout=settings.kafka_request_timeout,
        security=arguments,
    )


def user_of(settings: Settings) -> str:
    """Who the brokers take this process for, as Kafka's principal. A certificate's subject is left to its reader."""
    if settings.kafka_sasl_username is not None:
        return f"User:{settings.kafka_sasl_username}"
    return "User:CN=…" if settings.kafka_ssl_cert_file is not None else "User:ANONYMOUS"


def client_options(security: Security) -> dict[str, Any] | Unusable:
    """Keyword arguments for aiokafka's clients: `security_protocol`, `ssl_context`, `sasl_*`.

    The password is in clear in what is returned, as aiokafka wants it: never log it.
    """
    options: dict[str, Any] = {"security_protocol": security.protocol}
    if security.tls:
        context = _ssl_context(security)
        if isinstance(context, Unusable):
            return context
        options["ssl_context"] = context
    if security.sasl:
        password = security.sasl_password
        options |= {
            "sasl_mechanism": security.sasl_mechanism,
            "sasl_plain_username": security.sasl_username,
            "sasl_plain_password": None if password is None else password.get_secret_value(),
        }
    return options


def _ssl_context(security: Security) -> ssl.SSLContext | Unusable:
    try:
        context = ssl.create_default_context(cafile=security.ca_file)
    except (OSError, ssl.SSLError) as error:
        return Unusable(f"KAFKA_SSL_CA_FILE={security.ca_file}: no certificates in PEM form ({_why(error)})")
    if security.cert_file is not None:
        password = "" if security.key_password is None else security.key_password.get_secret_value()
        try:
            # Always a password: with None, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(security.cert_file, security.key_file, password=password)
        except (OSError, ssl.SSLError) as error:
            return Unusable(
                f"KAFKA_SSL_CERT_FILE={security.cert_file}, KAFKA_SSL_KEY_FILE={security.key_file}: not a certificate "
                f"and its private key in PEM form, or KAFKA_SSL_KEY_PASSWORD is wrong ({_why(error)})"
            )
    return context


def _why(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__
