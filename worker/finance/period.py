"""The time that a statement is about. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

_MONTH: Final = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to before `end`, both aware UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{stamp(self.start)} to {stamp(self.end)}"


def month(text: str, zone: tzinfo) -> Period | str:
    """The month `YYYY-MM` as its zone's calendar has it; or what is wrong with the text."""
    found = _MONTH.fullmatch(text)
    number, year = (int(found[2]), int(found[1])) if found else (0, 0)
    if not (1 <= number <= 12 and 1970 <= year < 9999):
        return f"{text!r} is not a month: write YYYY-MM, such as 2026-11"
    following = (year, number + 1) if number < 12 else (year + 1, 1)
    return Period(_utc(datetime(year, number, 1, tzinfo=zone)), _utc(datetime(*following, 1, tzinfo=zone)))


def moment(text: str, zone: tzinfo) -> datetime | str:
    """A date (its midnight) or a time, of `zone` where it names none; or what is wrong with the text."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return f"{text!r} is no time: write 2026-11-01 or 2026-11-01T08:00+01:00"
    return _utc(read if read.tzinfo else read.replace(tzinfo=zone))


def between(start: datetime, end: datetime) -> Period | str:
    """A period of any length."""
    return Period(start, end) if start < end else f"--from {stamp(start)} is not before --to {stamp(end)}"


def micros(time: datetime) -> int:
    """Microseconds since the epoch, exact."""
    delta = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def stamp(time: datetime) -> str:
    """RFC 3339 in UTC, without a fraction where there is none."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_micros(value: int) -> str:
    """RFC 3339 of microseconds since the epoch."""
    seconds, rest = divmod(value, 1_000_000)
    return stamp(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest))


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)
