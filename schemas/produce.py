"""For producers in Python: an invoice event, and the record to send. Needs pydantic only, no Kafka client.

    request = InvoiceRequest(invoice=Invoice(...), attachments=[inline_file("20001.pdf")])
    message = InvoiceEvent(request, source="/erp/oslo").to_message(partitions=12)

`message` has key, partition, value and headers, as every client takes them. What the worker would reject is refused
here: by pydantic's ValidationError where a part is made, by ValueError where parts don't go together. No error shows a
value.
"""

import mimetypes
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Final, Literal
from uuid import uuid4

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

from schemas.attachments import Attachment, InlineAttachment, ReferencedAttachment
from schemas.attributes import JSON, SPECVERSION, STRUCTURED, Attribute, Traceparent, UtcTime, rfc3339
from schemas.events import REQUESTED_TYPE, InvoiceRequest, encode, identity_of
from schemas.files import Base64Text
from schemas.identity import partition_for
from schemas.jsontext import dumps

MAX_DOCUMENTS: Final = 20
"""Attachments that the worker takes of one event."""
MAX_DOCUMENT: Final = 10 * 1024 * 1024
"""Bytes that it takes of one document in an event, decoded. Of one that it fetches: as its operator sets it."""

_EMPTY: Final = "The document is empty: leave the attachment out."

Mode = Literal["binary", "structured"]
"""Where a CloudEvent's attributes are: in the record's headers (preferred), or in its value beside the data."""

_TYPES: Final = mimetypes.MimeTypes()  # Python's own table: what a machine has besides would make events differ by it


@dataclass(frozen=True, slots=True)
class ProducerMessage:
    """A record to send to `invoice.requests`."""

    key: bytes
    partition: int | None
    """Where the record belongs; None when the count was not given: the client's partitioner must then be murmur2."""
    value: bytes
    headers: list[tuple[str, bytes]]
    """A list, because aiokafka takes nothing else."""


@checked(frozen=True, slots=True, config=ConfigDict(extra="forbid", hide_input_in_errors=True))
class InvoiceEvent:
    """An invoice event with its CloudEvents attributes. ValidationError when one of them is wrong.

    Sent again after a time-out of the client it must keep its `id`: make it once and send it as often as it takes.
    """

    request: InvoiceRequest
    source: Attribute
    """Who writes it, as a URI reference, such as `/erp/oslo`."""
    id: Attribute = field(default_factory=lambda: str(uuid4()))
    """Different for each event of a source."""
    time: UtcTime | None = None
    """When it happened; without it the record's timestamp stands for it."""
    correlationid: Attribute | None = None
    """Travels into the outcome, to find it by."""
    traceparent: Traceparent | None = None
    """W3C trace context; travels into the worker's calls."""

    def to_message(self, *, partitions: int | None = None, mode: Mode = "binary") -> ProducerMessage:
        """The record. `partitions` is the topic's partition count.

        ValueError: `partitions` is below 1, the mode is unknown, or the worker would refuse the attachments.
        """
        _check_documents(self.request.attachments or [])
        key = identity_of(self.request).encode()
        partition = None if partitions is None else partition_for(key, partitions)
        data = encode(self.request)
        match mode:
            case "binary":
                headers = {f"ce_{name}": text for name, text in self._attributes().items()}
                value = data
                headers["content-type"] = JSON
            case "structured":
                headers = {"content-type": STRUCTURED}
                value = _structured({**self._attributes(), "datacontenttype": JSON, **self._trace()}, data)
            case _:
                raise ValueError("The mode must be binary or structured.")
        headers |= self._trace()
        return ProducerMessage(key, partition, value, [(name, text.encode()) for name, text in headers.items()])

    def _attributes(self) -> dict[str, str]:
        optional = {
            "time": None if self.time is None else rfc3339(self.time),
            "correlationid": self.correlationid,
        }
        required = {"specversion": SPECVERSION, "id": self.id, "source": self.source, "type": REQUESTED_TYPE}
        return required | {name: text for name, text in optional.items() if text is not None}

    def _trace(self) -> dict[str, str]:
        return {} if self.traceparent is None else {"traceparent": self.traceparent}


def inline(data: bytes, file_name: str, media_type: str | None = None, *, digest: bool = True) -> InlineAttachment:
    """The document `data`, to travel in the event, with its SHA-256 unless `digest` is False.

    The media type is guessed from the file name when it is left out. ValueError: it can't be guessed, the document is
    empty, or it is too large; ValidationError: the name or the media type is wrong.
    """
    _check_size(len(data))
    content = Base64Text(b64encode(data).decode())
    return InlineAttachment(
        fileName=file_name,
        mediaType=media_type or _guess(file_name),
        content=content,
        sha256=content.sha256 if digest else None,
    )


def inline_file(
    path: str | PurePath, file_name: str | None = None, media_type: str | None = None, *, digest: bool = True
) -> InlineAttachment:
    """The document at `path`, under its own name unless another is given. As `inline`; OSError: it can't be read."""
    file = Path(path)
    _check_size(file.stat().st_size)  # before it is read
    return inline(file.read_bytes(), file_name or file.name, media_type, digest=digest)


def reference(data: bytes, url: str, file_name: str, media_type: str | None = None) -> ReferencedAttachment:
    """A reference to the document `data`, which stands at `url` already: the worker fetches it and compares its digest.

    Errors as `inline`, and ValidationError when the URL is not one that the contract takes.
    """
    if not data:
        raise ValueError(_EMPTY)
    return ReferencedAttachment(
        fileName=file_name,
        mediaType=media_type or _guess(file_name),
        url=url,
        sha256=sha256(data).hexdigest(),
        size=len(data),
    )


def _guess(file_name: str) -> str:
    guessed, encoding = _TYPES.guess_type(file_name)
    if guessed is None or encoding is not None:
        raise ValueError("The media type can't be told from the file name: give media_type, such as application/pdf.")
    return guessed


def _check_size(size: int) -> None:
    if not size:
        raise ValueError(_EMPTY)
    if size > MAX_DOCUMENT:
        raise ValueError(f"The document has {size} bytes, and the worker takes at most {MAX_DOCUMENT}.")


def _check_documents(attachments: list[Attachment]) -> None:
    if len(attachments) > MAX_DOCUMENTS:
        raise ValueError(f"The event has {len(attachments)} attachments, and the worker takes at most {MAX_DOCUMENTS}.")
    names = set()
    for index, attachment in enumerate(attachments):
        size = attachment.content.size if isinstance(attachment, InlineAttachment) else 0
        if size > MAX_DOCUMENT:
            raise ValueError(
                f"The document at /attachments/{index} has {size} bytes, and the worker takes at most {MAX_DOCUMENT}."
            )
        if attachment.fileName in names:
            raise ValueError(f"The file name at /attachments/{index} is taken: give each document a name of its own.")
        names.add(attachment.fileName)


def _structured(attributes: Mapping[str, str], data: bytes) -> bytes:
    # The data's own bytes: written a second time, a megabyte of base64 would be escaped and joined again for nothing.
    return dumps(attributes)[:-1] + b',"data":' + data + b"}"
