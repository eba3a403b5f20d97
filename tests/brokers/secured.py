"""Apache Kafka as a company runs it: TLS, SASL, client certificates, and ACLs that deny what nobody allowed.

Four listeners. `bootstrap` is the test's own back door: plain, and its anonymous user is a super user. `sasl_ssl` and
`ssl` are what workers use: `User:<name>` with a password, `User:CN=<name>` with a certificate. `astray` is plain too,
but the broker advertises an address for it that nobody can find.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.brokers.acls import Acls
from tests.brokers.apache import ApacheKafka
from worker.demo.process import free_port

HOST = "localhost"
"""The only name in the brokers' certificate: 127.0.0.1 is another."""
_DAYS = "36500"


@dataclass(frozen=True)
class Certificates:
    """PEM files: an authority, the broker's key with its certificate, a client's, and an authority nobody knows."""

    ca: Path
    broker: Path
    client_cert: Path
    client_key: Path
    stranger: Path


def make_certificates(directory: Path, client: str) -> Certificates:
    """By openssl. `client`: the common name of the client's certificate."""
    directory.mkdir(parents=True, exist_ok=True)

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)

    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", _DAYS)
    for authority in ("ca", "stranger"):
        openssl(
            *("req", "-x509", *kind, "-subj", f"/CN={authority}"),
            *("-keyout", f"{authority}.key", "-out", f"{authority}.pem"),
        )
    for name, subject, extensions in (
        ("broker", "broker", f"subjectAltName=DNS:{HOST}"),
        ("client", client, "extendedKeyUsage=clientAuth"),
    ):
        openssl("req", *kind, "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (directory / f"{name}.ext").write_text(extensions)
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", _DAYS, "-extfile", f"{name}.ext", "-out", f"{name}.pem"),
        )
    pair = directory / "broker-pair.pem"
    pair.write_text((directory / "broker.key").read_text() + (directory / "broker.pem").read_text())
    return Certificates(
        directory / "ca.pem", pair, directory / "client.pem", directory / "client.key", directory / "stranger.pem"
    )


class SecuredKafka(ApacheKafka):
    """One node. `passwords` by user, who comes by SCRAM-SHA-512; who comes by PLAIN has the same.

    `client`: the common name of the client certificate.
    """

    def __init__(self, data_dir: Path, passwords: Mapping[str, str], client: str) -> None:
        self.certificates = make_certificates(data_dir / "pem", client)
        self._passwords = dict(passwords)
        ports = {name: free_port() for name in ("SECURED", "MUTUAL", "ASTRAY")}
        self.sasl_ssl, self.ssl, self.astray = (f"{HOST}:{port}" for port in ports.values())
        super().__init__(data_dir)
        [(plain, controller)] = self._ports
        users = " ".join(f'user_{name}="{password}"' for name, password in self._passwords.items())
        module = "org.apache.kafka.common.security"
        self._properties = {
            "listeners": f"PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},"
            + ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items()),
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},SECURED://{self.sasl_ssl},MUTUAL://{self.ssl},"
            "ASTRAY://broker-1.invalid:9092",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,ASTRAY:PLAINTEXT,"
            "SECURED:SASL_SSL,MUTUAL:SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.secured.scram-sha-512.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
            "listener.name.secured.plain.sasl.jaas.config": f"{module}.plain.PlainLoginModule required {users};",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificates.broker),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificates.ca),
            "listener.name.mutual.ssl.client.auth": "required",
            "transaction.max.timeout.ms": "120000",
        }

    def _format_options(self) -> list[str]:
        return [
            word
            for name, password in self._passwords.items()
            for word in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
        ]

    @cached_property
    def acls(self) -> Acls:
        """Allow and forbid, as a super user."""
        return Acls(self.bootstrap)
