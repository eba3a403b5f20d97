"""One sweep of Kravia's search: every invoice that changed since a time, page by page.

Rows are ordered by their last update and move while they are read: an invoice that changes goes to the end, and all
that came after it move up. So pages go by time, with an overlap, and rows are told apart by id; `skip` only helps
where many rows share one time, and then each page must overlap the one before. A sweep that was cut short or lost its
thread is not complete: nothing may be read from what it did not show.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from worker.matching import Row, read_row
from worker.ports import Answer, KraviaApi, Refused, SearchPage
from worker.saga import answer_class

_OVERLAP = timedelta(seconds=2)
_GUIDE_PAGE = 20
"""Rows of a page in Kravia's guide: what is asked for when it refuses more."""


@dataclass(frozen=True, slots=True)
class SweepPolicy:
    """`page`: rows asked for at once; `pages`: of one sweep at the most; `pause` between two, in seconds."""

    page: int = 100
    pages: int = 2000
    pause: float = 0.05


@dataclass(frozen=True, slots=True)
class Swept:
    """How a sweep ended. `problem`: why it is not complete."""

    rows: int
    problem: str | None = None

    @property
    def complete(self) -> bool:
        return self.problem is None


async def sweep(
    api: KraviaApi, since: datetime, visit: Callable[[Row, Mapping[str, object]], None], policy: SweepPolicy
) -> Swept:
    """Give every row that changed since `since` (aware) to `visit`, once for each id."""
    # Without a zone in the API's times, UTC is the one that fits both: read as Oslo's it only begins earlier.
    cursor = since.astimezone(UTC).replace(tzinfo=None)
    skip, page_size, rows = 0, policy.page, 0
    seen: set[str] = set()
    for number in range(policy.pages):
        if number:
            await asyncio.sleep(policy.pause)
        page: SearchPage | Answer = await api.search(cursor, skip=skip, top=page_size)
        if isinstance(page, Refused) and page_size > _GUIDE_PAGE:
            page_size = _GUIDE_PAGE
            continue
        if not isinstance(page, SearchPage):
            return Swept(rows, f"search: {answer_class(page)}")
        if not page.rows:
            return Swept(rows)
        fresh, last, overlaps = 0, None, False
        for raw in page.rows:
            row = read_row(raw)
            last = row.updated or last
            if row.ids and not seen.isdisjoint(row.ids):
                overlaps = True
                continue
            seen.update(row.ids)
            fresh += 1
            visit(row, raw)
        rows += fresh
        if skip and fresh and not overlaps and seen:
            return Swept(rows, "rows moved between two pages")
        if last is not None and last - _OVERLAP > cursor:
            cursor, skip = last - _OVERLAP, 0
        elif fresh:
            skip += max(1, len(page.rows) - max(1, len(page.rows) // 4))
        else:
            skip += len(page.rows)
    return Swept(rows, f"more than {policy.pages} pages")
