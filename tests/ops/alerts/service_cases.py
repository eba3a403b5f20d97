"""Failed records, late outcomes, events that do not end."""

from collections.abc import Iterator

from tests.ops.alerts.case import Case, sample

JOB = {"job": "worker"}


def _settled(good: str, failed: str, rejected: str = "0x600") -> dict[str, str]:
    return dict(
        [
            sample("settled_total", good, outcome="scheduled", reason="none"),
            sample("settled_total", failed, outcome="failed", reason="expired"),
            sample("settled_total", rejected, outcome="rejected", reason="validation"),
        ]
    )


def _ages(in_time: str, all_: str) -> dict[str, str]:
    return dict(
        [
            sample("event_age_seconds_bucket", in_time, outcome="scheduled", le="300.0"),
            sample("event_age_seconds_count", all_, outcome="scheduled"),
        ]
    )


def cases() -> Iterator[Case]:
    """Each alert of `service.yaml`, firing and silent."""
    # Burn rate: the share of bad records against 14.4, 6 and 1 times the budget of 1 %.
    for name, minutes, step, bad, fine in (
        ("Fast", 70, 1, 20, 12),
        ("Medium", 370, 10, 8, 5),
        ("Slow", 4400, 10, 2, 0),
    ):
        shares = {"bad": (f"0+{100 - bad}x600", f"0+{bad}x600"), "fine": (f"0+{100 - fine}x600", f"0+{fine}x600")}
        success, age = f"InvoiceWorkerFailedBurn{name}", f"InvoiceWorkerAgeBurn{name}"
        good, failed = shares["bad"]
        yield Case(success, f"{bad} percent fail", _settled(good, failed), minutes, (JOB,), step)
        yield Case(age, f"{bad} percent are late", _ages(good, "0+100x600"), minutes, (JOB,), step)
        good, failed = shares["fine"]
        yield Case(success, f"{fine} percent fail", _settled(good, failed), minutes, step=step)
        yield Case(age, f"{fine} percent are late", _ages(good, "0+100x600"), minutes, step=step)
    yield Case("InvoiceWorkerFailedBurnFast", "over by now", _settled("0+100x90", "0+100x30 3000x60"), 60)
    yield Case("InvoiceWorkerFailedBurnFast", "one of two", _settled("0x30 1x60", "0x30 1x60"), 32)
    yield Case("InvoiceWorkerFailedBurnFast", "only rejected", _settled("0+1x90", "0x90", "0+100x90"), 70)
    yield Case("InvoiceWorkerAgeBurnFast", "nothing happens", _ages("500x90", "500x90"), 70)

    oldest, partition = "InvoiceWorkerOldestEvent", {**JOB, "partition": "3"}
    waits = dict([sample("oldest_unfinished_seconds", "0+60x60", partition="3")])
    yield Case(oldest, "nothing happens to it", waits, 40, (partition,))
    yield Case(oldest, "not for long enough", waits, 33)
    doubt = dict([sample("oldest_doubt_seconds", "0+60x60", partition="3")])
    yield Case(oldest, "a doubt holds it up", waits | doubt, 40)

    letters = "InvoiceWorkerDeadLetters"
    yield Case(letters, "one failed", _settled("0+1x60", "0x20 1x40"), 25, ({**JOB, "reason": "expired"},))
    yield Case(letters, "long ago", _settled("0+1x60", "0x20 1x40"), 45)
    documents = "InvoiceWorkerDocumentsUnreachable"
    fetched = dict([sample("document_fetches_total", "0+2x60", result="ok")])
    away = dict([sample("document_fetches_total", "0+3x60", result="dns")])
    yield Case(documents, "most fetches", fetched | away, 30, (JOB,))
    yield Case(documents, "a few", fetched | dict([sample("document_fetches_total", "0+1x60", result="timeout")]), 30)
    yield Case(
        documents, "refused ones", dict([sample("document_fetches_total", "0+3x60", result="document_host")]), 30
    )
    yield Case(documents, "one event", dict([sample("document_fetches_total", "0x20 4x40", result="connect")]), 30)
    rejected = "InvoiceWorkerManyRejected"
    yield Case(rejected, "a third", _settled("0+2x90", "0x90", "0+1x90"), 60, (JOB,))
    yield Case(rejected, "a tenth", _settled("0+9x90", "0x90", "0+1x90"), 60)
