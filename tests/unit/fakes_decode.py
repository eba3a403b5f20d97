"""Records for `decode`, and what it makes of them."""

from pathlib import Path

from schemas.identity import partition_for
from schemas.jsontext import dumps, loads
from worker.decode import Limits, decode
from worker.model import Event, Invalid, Record

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
COUNT = 12
KEY = b"10759/Invoice/20001"


def example(name="invoice"):
    return loads((EXAMPLES / f"invoice-requested.{name}.json").read_bytes())


def record(value, *, key=KEY, partition=None, headers=()):
    if not isinstance(value, bytes | None):
        value = dumps(value)
    right = partition_for(KEY, COUNT) if partition is None else partition
    return Record("invoice.requests", right, 42, 1_767_323_045_000, key, value, headers)


def event(value, **more):
    result = decode(record(value, **more), partition_count=COUNT)
    assert isinstance(result, Event), result
    return result


def invalid(value, *, limits=Limits(), **more):  # noqa: B008 -- immutable
    result = decode(record(value, **more), partition_count=COUNT, limits=limits)
    assert isinstance(result, Invalid), result
    return result


def codes(result):
    return {(p.pointer, p.code) for p in result.problems}
