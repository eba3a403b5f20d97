"""One harmless search, for `worker doctor`: what the API answers, and what time it has."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from worker.answers import Answer, Done, Unclear
from worker.kravia.classify import Endpoint, Reply, Rules, classify
from worker.kravia.client import search_url
from worker.kravia.config import KraviaConfig
from worker.kravia.connections import open_session, tls_context
from worker.kravia.exchange import Pool
from worker.kravia.reading import field_names, read_page
from worker.kravia.tokens import TokenSource
from worker.ports import Clock


@dataclass(frozen=True, slots=True)
class Probed:
    """`answer`: `Done` when rows could be read. `ahead`: seconds that our clock is ahead of the API's, as far as its
    Date header tells: to the second, and to half of the time that the call took. None without one.

    `page`: the answer is HTML. `redirect`: scheme and host that a redirect leads to.
    """

    answer: Answer
    ahead: float | None = None
    uncertain: float = 0.0
    page: bool = False
    redirect: str = ""


async def probe(config: KraviaConfig, token: TokenSource, clock: Clock) -> Probed:
    """Search for what changed since now: one row at the most. Raises ValueError for a CA file that can't be used."""
    session = open_session(
        config,
        tls_context(config),
        user_timeout=config.query_timeout,
        send_buffer=None,
        read_timeout=config.read_timeout,
    )
    pool = Pool(session, config, token)
    try:
        before, began = clock.now(), clock.monotonic()
        reply = await pool.get(search_url(config.root, before, skip=0, top=1))
        took = clock.monotonic() - began
    finally:
        await pool.close()
    if not isinstance(reply, Reply):
        return Probed(reply)
    answer = classify(Endpoint.SEARCH, reply, Rules(), clock.now())
    if isinstance(answer, Done) and (not reply.whole or read_page(reply.body) is None):
        answer = Unclear("unreadable", reply.status, fields=field_names(reply.body))
    page = "html" in reply.headers.get("Content-Type", "").lower()
    redirect = _origin(reply.headers.get("Location", ""))
    date = _date(reply.headers.get("Date"))
    if date is None:
        return Probed(answer, page=page, redirect=redirect)
    # The header is cut to the second: half a second is its middle.
    ahead = (before - date).total_seconds() + took / 2 - 0.5
    return Probed(answer, ahead, 0.5 + took / 2, page, redirect)


def _origin(location: str) -> str:
    """No more than scheme and host: the rest may be a login's."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else ""


def _date(text: str | None) -> datetime | None:
    try:
        found = None if text is None else parsedate_to_datetime(text)
    except ValueError:
        return None
    if found is None:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
