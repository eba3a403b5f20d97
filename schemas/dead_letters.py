"""The headers of a dead letter: where the record came from, and what is known of why it did not end well.

The record itself, its key, value and own headers, is untouched. Names below `__dlq.errors` are KIP-1191's (dead-letter
queues of Kafka's share groups), the rest are ours. All values are UTF-8 text, bounded, without personal data. Where a
name comes twice the last counts, as everywhere in Kafka.

Where it came from and when it first failed is set once: a replay that fails again keeps it. The cause is replaced.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import to_jsonable_python

from schemas.fields import field_title
from schemas.violations import Violation, bounded, violation

Header = tuple[str, bytes]

MAX_HEADER: Final = 1024
"""Bytes of a header's value; a longer text is cut."""


class DeadLetterHeaders(BaseModel):
    """The headers that the worker adds. In a record their values are text: numbers in digits, times as RFC 3339.

    Headers that are not known are passed over: a later release may add some.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
        field_title_generator=field_title,
    )

    topic: str = Field(alias="__dlq.errors.topic", description="Topic of the first record of this event that failed.")
    partition: int = Field(alias="__dlq.errors.partition", ge=0, description="Its partition.")
    offset: int = Field(alias="__dlq.errors.offset", ge=0, description="Its offset.")
    group: str = Field(alias="__dlq.errors.group", description="Consumer group of the worker.")
    delivery_count: int = Field(
        alias="__dlq.errors.delivery.count",
        ge=1,
        description="How often the record was tried, at least 1: a consumer group counts no deliveries.",
    )
    message: str = Field(alias="__dlq.errors.message", description="One sentence, without values of the event.")
    version: Annotated[Literal[1], BeforeValidator(lambda value: 1 if value == "1" else value)] = Field(
        alias="kravia.dlq.version", description="Of these headers."
    )
    outcome: Literal["rejected", "failed"] = Field(alias="kravia.dlq.outcome", description="How it ended.")
    outcome_id: str = Field(alias="kravia.dlq.outcome-id", description="Id of its outcome event.")
    reason: str = Field(alias="kravia.dlq.reason", description="The outcome's reason.")
    fingerprint: str = Field(
        alias="kravia.dlq.fingerprint",
        pattern="^[0-9a-f]{16}$",
        description="Equal for dead letters with the same cause: same reason, step, status and broken rules.",
    )
    identity: str | None = Field(default=None, alias="kravia.dlq.identity", description="The invoice, where readable.")
    step: Literal["fetch", "register", "attach", "start"] | None = Field(
        default=None, alias="kravia.dlq.step", description="The call at which it ended."
    )
    http_status: int | None = Field(
        default=None, alias="kravia.dlq.http-status", description="Of Kravia's last answer."
    )
    invoice_id: str | None = Field(
        default=None, alias="kravia.dlq.invoice-id", description="Kravia's id, when it was registered."
    )
    doubt: int | None = Field(
        default=None, alias="kravia.dlq.doubt", description="Journal offset of the intent that is in doubt."
    )
    attempts: int = Field(alias="kravia.dlq.attempts", ge=0, description="Calls made for this record.")
    replay_count: int = Field(
        alias="kravia.dlq.replay-count", ge=0, description="How often this event had been replayed when it failed."
    )
    first_failure: AwareDatetime = Field(
        alias="kravia.dlq.first-failure", description="When it failed first. RFC 3339."
    )
    last_failure: AwareDatetime = Field(alias="kravia.dlq.last-failure", description="When it failed last. RFC 3339.")
    worker_version: str = Field(alias="kravia.dlq.worker-version", description="Version of the worker.")
    traceparent: str | None = Field(
        default=None,
        alias="kravia.dlq.traceparent",
        description="The worker's own span, where it traces (W3C Trace Context); `traceparent` stays as it came.",
    )

    def to_headers(self) -> tuple[Header, ...]:
        """The headers, in the order of the fields; what is not known is left out."""
        values = to_jsonable_python(self, by_alias=True, exclude_none=True)
        return tuple((name, _cut(str(value))) for name, value in values.items())


NAMES: Final = frozenset(str(field.alias) for field in DeadLetterHeaders.model_fields.values())
"""Every header name of ours and KIP-1191's."""


def read_headers(headers: Iterable[Header]) -> DeadLetterHeaders | list[Violation]:
    """What the headers of a dead letter say, or what is wrong with them; other headers are passed over."""
    texts = {name: value.decode("utf-8", "replace") for name, value in headers if name in NAMES}
    # Numbers and times travel as text.
    try:
        return DeadLetterHeaders.model_validate_strings(texts, by_alias=True, by_name=False)
    except ValidationError as error:
        return bounded([violation(e, e["loc"]) for e in error.errors(include_url=False)])


def _cut(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return data if len(data) <= MAX_HEADER else data[: MAX_HEADER - 3].decode("utf-8", "ignore").encode() + b"..."
