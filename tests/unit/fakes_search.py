"""A search that moves while it is read: rows ordered by their last update, changed between two pages."""

from datetime import datetime, timedelta

from tests.unit.fakes_time import EPOCH
from worker.answers import Refused
from worker.ports import SearchPage

BEGIN = EPOCH.replace(tzinfo=None)


def printed(moment: datetime) -> str:
    """As Kravia prints a time: without a zone, seven decimals."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "0"


class ModelSearch:
    """`search` of `ports.KraviaApi` over a list. `between(self)` runs after each page.

    `cap`: rows of a page at the most, whatever is asked for. `lengths`: of the next pages, shorter for no reason.
    """

    def __init__(self, between=None, *, cap=None, largest=10_000, times=True):
        self.updated = {}
        self.between = between
        self.cap = cap
        self.largest = largest
        self.times = times
        self.lengths = []
        self.answers = []
        self.asked = []

    def put(self, invoice_id, seconds):
        """Add an invoice, or change one: it was updated so many seconds after the beginning."""
        self.updated[invoice_id] = seconds

    @property
    def latest(self):
        return max(self.updated.values(), default=0.0)

    async def search(self, since, *, skip, top):
        self.asked.append((since, skip, top))
        if self.answers:
            return self.answers.pop(0)
        if top > self.largest:
            return Refused(400)
        start = (since.replace(tzinfo=None) - BEGIN) / timedelta(seconds=1)
        found = sorted((at, invoice_id) for invoice_id, at in self.updated.items() if at >= start)
        count = min(top, self.cap or top, self.lengths.pop(0) if self.lengths else top)
        page = found[skip : skip + max(1, count)]
        if self.between is not None:
            self.between(self)
        return SearchPage(tuple(self._row(at, invoice_id) for at, invoice_id in page))

    def _row(self, at, invoice_id):
        time = {"lastUpdatedTime": printed(BEGIN + timedelta(seconds=at))} if self.times else {}
        return {"id": invoice_id, "invoiceNo": f"n{invoice_id}"} | time
