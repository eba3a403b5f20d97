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

from worker.answers import Answer, Refused, answer_class
from worker.matching import Row, read_row
from worker.ports import KraviaQueries, SearchPage

_OVERLAP = timedelta(seconds=2)
_MOVED = "rows moved between two pages"
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
    api: KraviaQueries, since: datetime, visit: Callable[[Row, Mapping[str, object]], bool], policy: SweepPolicy
) -> Swept:
    """Give every row that changed since `since` (aware) to `visit`, once for each id.

    `visit` says whether it has seen enough: whether this row was registered after the sweep began, so that whatever
    was there before stands before it. Without that a sweep would chase the end of a search that never stands still.
    """
    # Without a zone in the API's times, UTC is the one that fits both: read as Oslo's it only begins earlier.
    cursor = since.astimezone(UTC).replace(tzinfo=None)
    skip, page_size, rows = 0, policy.page, 0
    probing = enough = False
    seen: set[tuple[str, ...]] = set()
    former: list[Row] = []
    where = 0
    for number in range(policy.pages):
        if number and not probing:
            await asyncio.sleep(policy.pause)
        page: SearchPage | Answer = await api.search(cursor, skip=skip, top=page_size)
        if isinstance(page, Refused) and page_size > _GUIDE_PAGE:
            page_size = _GUIDE_PAGE
            continue
        if not isinstance(page, SearchPage):
            return Swept(rows, f"search: {answer_class(page)}")
        if not page.rows:
            # Beyond rows that were all seen: the end. Elsewhere they moved away from under us.
            return Swept(rows, None if probing or not skip else _MOVED)
        read = [read_row(raw) for raw in page.rows]
        if probing:
            # More came, or the page before was short: back to where the two overlap.
            probing, skip = False, skip - _overlap(len(former))
            continue
        if skip and not any((row.ids, row.updated) == (read[0].ids, read[0].updated) for row in former[skip - where :]):
            # It did not begin with a row of the page before that stands where it stood: what lay between was not seen.
            return Swept(rows, _MOVED)
        fresh = 0
        for row, raw in zip(read, page.rows, strict=True):
            if row.ids and row.ids in seen:
                continue
            seen.add(row.ids)
            fresh += 1
            enough |= visit(row, raw)
        rows += fresh
        if enough:
            return Swept(rows)
        former, where = read, skip
        last = next((row.updated for row in reversed(read) if row.updated is not None), None)
        # Only when the step is as long as the overlap: else, where rows are dense, most of each page was seen before.
        if last is not None and last - 2 * _OVERLAP > cursor:
            cursor, skip = last - _OVERLAP, 0
        elif fresh and len(read) > 1:
            skip += len(read) - _overlap(len(read))
        else:
            skip, probing = skip + len(read), True
    return Swept(rows, f"more than {policy.pages} pages")


def _overlap(rows: int) -> int:
    """How many rows of a page the next one shows again, when it goes on by `skip`."""
    return max(1, rows // 4)
