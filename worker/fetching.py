"""What follows when an event's documents were fetched, or were not: the decisions of `worker.fetch`. Pure.

The codes are stable: producers read them in outcomes. A problem names the attachment and the rule, never the URL, which
may hold a signature.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from worker.model import Problem, Refusal, Rejected, Step
from worker.ports import Altered, Document, Missing, NotAllowed, Unreachable

MISSING: Final = "document_missing"
FORBIDDEN: Final = "document_forbidden"
REFUSED: Final = "document_refused"
SIZE: Final = "document_size"
DIGEST: Final = "document_digest"
TYPE: Final = "document_type"
ENCODED: Final = "document_encoded"
BAD_URL: Final = "document_url"
HOST: Final = "document_host"
ADDRESS: Final = "document_address"
REDIRECTS: Final = "document_redirects"

SENTENCES: Final = {
    MISSING: "The store answers that this document is not there: put it back, or send the event with another URL.",
    FORBIDDEN: "The store refuses to give this document; a signed URL may have expired. Send the event with a new one.",
    REFUSED: "The store refuses this request. Look at the URL, and send the event with one that it answers.",
    SIZE: "The document does not have the declared size. Declare that of the document that is there.",
    DIGEST: "The document does not have the declared SHA-256: it was changed, or another one was declared.",
    TYPE: "The document's first bytes contradict the declared media type. Declare the one that it has.",
    ENCODED: "The store answers with a Content-Encoding, which was not asked for. Serve the document as it is.",
    BAD_URL: "This must be an https URL with a host name, without user and password.",
    HOST: "Documents may not be fetched from this host. The worker's operator allows hosts by DOCUMENT_ALLOW_HOSTS.",
    ADDRESS: "This host's address is not a public one. The worker's operator allows networks by "
    "DOCUMENT_ALLOW_NETWORKS.",
    REDIRECTS: "The store redirects more often than DOCUMENT_REDIRECTS allows. Give the URL that it leads to.",
}

Fetched = Document | Missing | Altered | NotAllowed | Unreachable


@dataclass(frozen=True, slots=True)
class FetchAgain:
    """A store did not answer: try again, by the retry policy. `at_least`: seconds to wait before."""

    why: str
    status: int | None
    at_least: float | None


def after_fetch(results: Sequence[tuple[int, Fetched]], invoice_id: str | None) -> Rejected | FetchAgain | None:
    """What follows; None: every document is there. Results come with their index among the event's attachments.

    What can't be mended by trying again ends the event, however many others may still come.
    """
    refused = [(index, result) for index, result in results if isinstance(result, Missing | Altered | NotAllowed)]
    if refused:
        problems = tuple(Problem(f"/attachments/{index}/url", r.code, SENTENCES[r.code]) for index, r in refused)
        return Rejected(Refusal.DOCUMENT, problems, Step.FETCH, _status(r for _, r in refused), invoice_id)
    again = [result for _, result in results if isinstance(result, Unreachable)]
    if not again:
        return None
    waits = [result.retry_after for result in again if result.retry_after is not None]
    return FetchAgain(f"unreachable_{again[0].why}", again[0].status, max(waits, default=None))


def _status(refused: Iterable[Missing | Altered | NotAllowed]) -> int | None:
    """The first HTTP status that a store refused with."""
    return next((r.status for r in refused if isinstance(r, Missing) and r.status is not None), None)
