"""A story as text for people and as a JSON object for programs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from worker.cli.reports import plain
from worker.inquiry.story import Moment, Story
from worker.model import Coordinates


def as_lines(story: Story) -> Iterator[str]:
    """Whose it is, where it is, what is next, and then what happened, oldest first."""
    where = str(story.where).replace("_", " ")
    yield plain(f"{story.identity or story.record} (partition {story.partition}): {where}")
    yield plain(f"  {story.sentence}")
    yield plain(f"  Next ({story.turn}): {story.next}")
    for note in story.notes:
        yield plain(f"  Note: {note}")
    for moment in story.moments:
        yield plain(f"    {_moment(moment)}")


def _moment(moment: Moment) -> str:
    details = [f"{name}={value}" for name, value in moment.details.items()]
    record = str(moment.record) if moment.record else ""
    # A receipt is of the record that it names; whatever else is about another one than where it is written.
    about = f"of {moment.about}" if moment.about and moment.about != moment.record else ""
    words = [f"{_time(moment.at)}  {moment.what:<16}", *filter(None, (record, about)), *details]
    return " ".join(words).rstrip()


def as_object(story: Story) -> dict[str, Any]:
    """For programs: names as in the outcomes, times in RFC 3339, coordinates as topic/partition/offset."""
    return {
        "identity": story.identity,
        "record": _place(story.record),
        "partition": story.partition,
        "where": story.where.value,
        "sentence": story.sentence,
        "turn": story.turn.value,
        "next": story.next,
        "invoiceId": story.invoice_id,
        "doubt": story.doubt,
        "unsettled": [str(record) for record in story.unsettled],
        "notes": list(story.notes),
        "moments": [
            {
                "at": moment.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "what": moment.what,
                "record": _place(moment.record),
                "about": _place(moment.about),
                "details": dict(moment.details),
            }
            for moment in story.moments
        ],
    }


def _place(where: Coordinates | None) -> str | None:
    return None if where is None else str(where)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
