"""`KRAVIA_*`."""

import json
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from worker.forward_proxy import ALLOWED, ForwardProxy, parse_proxy
from worker.settings.fields import count, optional, optional_file, seconds

URL = "https://host[:port][/path], without user, query or fragment, and without /api/v2, which the worker adds"
PATTERNS = 'a JSON list of regular expressions, for example ["already (exists|registered)"]'
POINTER = "a JSON pointer (RFC 6901), for example /data/invoiceId"
HEADER_TEXT = "printable ASCII without blanks, as it goes into a header"
GUESS = "A guess: Kravia documents nothing about it. Measure it, then set it."


def _base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port_is_legal = parts.port is None or parts.port > 0
    except ValueError:
        # urlsplit's own message repeats the value, which may hold credentials.
        raise ValueError(URL) from None
    path = parts.path.rstrip("/")
    legal = parts.scheme in ("http", "https") and parts.hostname and port_is_legal
    if not legal or "@" in parts.netloc or parts.query or parts.fragment or path.endswith("/api/v2"):
        raise ValueError(URL)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _json_list(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
    except ValueError:
        raise ValueError(PATTERNS) from None
    if not isinstance(parsed, list) or not all(isinstance(item, str) and item for item in parsed):
        raise ValueError(PATTERNS)
    return tuple(parsed)


def _patterns(values: tuple[str, ...]) -> tuple[str, ...]:
    for number, value in enumerate(values, 1):
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"regular expressions; number {number} is none: {error.msg}") from None
    return values


def _pointer(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"(/([^~/]|~[01])*)+", text):
        raise ValueError(POINTER)
    return text


def _token(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and not re.fullmatch(r"[\x21-\x7e]+", secret.get_secret_value()):
        raise ValueError(HEADER_TEXT)
    return secret


def _proxy(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None:
        parse_proxy(secret.get_secret_value())
    return secret


class KraviaSettings(BaseModel):
    """How to reach Kravia, and what is assumed about it."""

    kravia_base_url: Annotated[str, AfterValidator(_base_url)] = Field(
        default="https://api.kravia.ai", description="Where the API is.", json_schema_extra={"allowed": URL}
    )
    kravia_allow_plain_http: bool = Field(
        default=False,
        description="Allow an `http://` base URL on a host other than this one. The token and personal data then "
        "travel in the clear.",
    )
    kravia_token: Annotated[SecretStr | None, AfterValidator(_token)] = optional(
        "The API's secret token, as it is. Read once, at start. Exactly one of this and `KRAVIA_TOKEN_FILE`.",
        allowed=HEADER_TEXT,
    )
    kravia_token_file: Path | None = optional_file("A file that holds the token; read again when it changes.")
    kravia_ca_file: Path | None = optional_file(
        "PEM file of the certificate authorities that sign the API's certificate; absent: the system's."
    )
    kravia_proxy: Annotated[SecretStr | None, AfterValidator(_proxy)] = optional(
        "An HTTP forward proxy that every connection to the API leads through, by CONNECT; absent: none. "
        "`HTTPS_PROXY` and its like have no effect. May hold a user and a password (Basic), so it is treated as a "
        "secret. Only with an `https://` base URL. The certificate of an `https://` proxy is checked as the API's is: "
        "`KRAVIA_CA_FILE` must then name the authorities of both. Documents by reference are fetched without it.",
        allowed=ALLOWED,
    )
    kravia_connect_timeout: float = seconds(
        10,
        "Longest wait for a connection: name, TCP, the proxy's tunnel and TLS, and a free place in the pool.",
        at_most=600,
    )
    kravia_read_timeout: float = seconds(
        30, "Longest silence while an answer to attach, start, details or search is read.", at_most=600
    )
    kravia_register_timeout: float = seconds(
        30, "T: longest wait for register's answer, from the moment its body is written.", at_most=600
    )
    kravia_attach_timeout: float = seconds(60, "Longest duration of one attach call.", at_most=600)
    kravia_start_timeout: float = seconds(30, "Longest duration of one start call.", at_most=600)
    kravia_query_timeout: float = seconds(30, "Longest duration of one details or search call.", at_most=600)
    kravia_slow_answer: float = seconds(
        10,
        "An answer that takes longer says that Kravia is asked too much, as 429, 503 and a time-out do: half as many "
        "calls go at a time then, and one more for each round of answers that are well.",
        at_most=600,
    )
    kravia_calls_per_second: float | None = Field(
        default=None,
        gt=0,
        le=100_000,
        allow_inf_nan=False,
        description="Most calls of this process that begin in a second, searches included; absent: no bound. "
        "Processes know nothing of each other: give each its share.",
    )
    kravia_id_pointer: Annotated[str | None, AfterValidator(_pointer)] = optional(
        "Where register's answer holds the invoice's id, as a JSON pointer. Absent: a bare number or string, or "
        "`id`, `invoiceId` or `claimId` of an object. The answer is undocumented.",
        allowed=POINTER,
    )
    kravia_already_exists_patterns: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_json_list), AfterValidator(_patterns)
    ] = Field(
        default=(),
        description="An error body in which one of them is found means that the invoice is there already, as a 409 "
        "does. Error bodies are undocumented.",
        json_schema_extra={"allowed": PATTERNS},
    )
    kravia_file_encoding: Literal["base64", "raw"] = Field(
        default="base64",
        description="What the multipart field `file` of a document holds: base64 text (what the guide prints) or the "
        "raw bytes with a file name. Which of them is meant is undocumented.",
    )
    kravia_attach_unknown: Literal["resend", "person"] = Field(
        default="resend",
        description="A document may or may not have arrived, and details do not tell: send it again (it may then be "
        "there twice), or leave it to a person.",
    )
    kravia_search_page: int = count(
        100,
        "Rows asked for in one page of the search; 20 (as in the guide) when the API refuses more. Its limit is "
        "undocumented.",
        at_most=10_000,
    )
    kravia_late_processing: float = seconds(
        300, f"A: the longest that Kravia may take to carry out a call after the worker gave up on it. {GUESS}"
    )
    kravia_search_delay: float = seconds(120, f"D: time until a search shows a new invoice. {GUESS}", zero=True)
    kravia_search_disorder: float = seconds(60, f"How far a search may show invoices out of order. {GUESS}", zero=True)

    @property
    def forward_proxy(self) -> ForwardProxy | None:
        """The parsed proxy, where one is set."""
        return None if self.kravia_proxy is None else parse_proxy(self.kravia_proxy.get_secret_value())
