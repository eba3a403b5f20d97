"""Trouble with a connection, in words; and what TLS errors say of certificates. Pure."""

import ssl
from dataclasses import dataclass
from typing import Final

_OTHER_NAME: Final = (62, 64)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_NOT_VALID_NOW: Final = (9, 10)
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a connection, and what to do; for the operator, without secrets."""

    detail: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.detail}; {self.remedy}"


def certificate_trouble(where: str, error: ssl.SSLCertVerificationError) -> Trouble:
    """What is wrong with a broker's certificate. `where`: its host and port."""
    if error.verify_code in _OTHER_NAME:
        return Trouble(
            f"{where}: its certificate is for another name ({error.verify_message})",
            "use a name that the certificate holds, or have that name added to it (subjectAltName)",
        )
    if error.verify_code in _NOT_VALID_NOW:
        return Trouble(
            f"{where}: its certificate is not valid now ({error.verify_message})",
            "have it renewed, or check this machine's clock",
        )
    return Trouble(
        f"{where}: its certificate is not trusted ({error.verify_message})",
        "name the authority that signed it in KAFKA_SSL_CA_FILE (PEM)",
    )


def about_our_certificate(error: BaseException | None) -> str:
    """The broker's TLS alert about the client certificate that it got, or did not get; empty without one."""
    while error is not None:
        reason = getattr(error, "reason", None) if isinstance(error, ssl.SSLError) else None
        # CERTIFICATE_REQUIRED (OpenSSL, later JDKs), BAD_CERTIFICATE (JDK 17), CERTIFICATE_UNKNOWN, UNKNOWN_CA, …
        if reason and "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
            return str(reason).lower().replace("_", " ")
        error = error.__cause__
    return ""
