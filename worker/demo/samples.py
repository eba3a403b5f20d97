"""Sample invoice events: Norwegian, synthetic, the same for the same seed.

Names are put together from lists, e-mail addresses lie under example.no, organisation numbers carry a right check
digit: nobody is meant. Most events are good and break no rule of the contract; some break one that warns, some come
twice, some change an invoice that was sent before, and some are wrong in one of the ways that producers get it wrong.
"""

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from schemas.events import REQUESTED_TYPE
from schemas.identity import identity, partition_for
from schemas.jsontext import Writable, dumps

_SOURCE = "urn:demo:billing"
_CREDITORS = (10759, 10760, 10812)
_FIRST = ("Ingrid", "Nora", "Emma", "Kari", "Ola", "Jakob", "Emil", "Sivert", "Åse", "Øyvind", "Turid", "Håkon")
_LAST = ("Nordby", "Solheim", "Bakken", "Myrvold", "Fjellstad", "Ødegård", "Strand", "Haugland", "Lia", "Åsheim")
_COMPANIES = ("Fjordbygg", "Nordlys Regnskap", "Havn & Hav", "Bjørkely Drift", "Tindetopp Elektro", "Skogsørvis")
_PLACES = (("0155", "Oslo"), ("5003", "Bergen"), ("7011", "Trondheim"), ("4006", "Stavanger"), ("9008", "Tromsø"))
_STREETS = ("Storgata", "Kirkeveien", "Fjellveien", "Havnegata", "Bjørnstjerne allé")
_GOODS = (
    ("Strøm, forbruk", "kWh", "1.29", 25),
    ("Snømåking", "time", "640", 25),
    ("Treningsavgift", "mnd", "399", 25),
    ("Fiskepudding", "stk", "54.90", 15),
    ("Barnehageplass", "mnd", "2000", 0),
    ("Regnskapsførsel", "time", "1150", 25),
)


class Kind(StrEnum):
    """What a sample is meant to show."""

    GOOD = "good"
    ODD = "odd"
    """Breaks a rule that warns by default: scheduled all the same."""
    REPEAT = "repeat"
    CONFLICT = "conflict"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Sample:
    """A record to send. Partition: where the key leads, or for one that was misrouted on purpose, elsewhere."""

    kind: Kind
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    partition: int


@dataclass(frozen=True, slots=True)
class _Draft:
    identity: str
    data: dict[str, Writable]
    event_id: str
    time: datetime


def samples(count: int, partitions: int, seed: int, start: datetime, interval: float = 0.0) -> list[Sample]:
    """`count` records for a topic of `partitions`, their times from `start` (aware) on, `interval` seconds apart."""
    rng = random.Random(seed)
    drafts: list[_Draft] = []
    made: list[Sample] = []
    for number in range(count):
        at = start.astimezone(UTC) + timedelta(seconds=interval * number)
        draw = rng.random()
        if drafts and draw < 0.05:
            made.append(_sample(Kind.REPEAT, rng.choice(drafts), partitions))
        elif drafts and draw < 0.06:
            made.append(_sample(Kind.CONFLICT, _changed(rng.choice(drafts), rng, at), partitions))
        elif draw < 0.11:
            made.append(_wrong(_draft(rng, number, at, seed), rng, partitions))
        elif draw < 0.13:
            drafts.append(_odd(_draft(rng, number, at, seed), number))
            made.append(_sample(Kind.ODD, drafts[-1], partitions))
        else:
            drafts.append(_draft(rng, number, at, seed))
            made.append(_sample(Kind.GOOD, drafts[-1], partitions))
    return made


def _sample(kind: Kind, draft: _Draft, partitions: int) -> Sample:
    key = draft.identity.encode()
    headers = {
        "ce_specversion": "1.0",
        "ce_id": draft.event_id,
        "ce_source": _SOURCE,
        "ce_type": REQUESTED_TYPE,
        "ce_time": draft.time.isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
    }
    return Sample(
        kind,
        key,
        dumps(draft.data),
        tuple((name, text.encode()) for name, text in headers.items()),
        partition_for(key, partitions),
    )


def _draft(rng: random.Random, number: int, at: datetime, seed: int) -> _Draft:
    claim_type = rng.choices(("Invoice", "CreditNote", "CollectionCase"), (8, 1, 1))[0]
    creditor = rng.choice(_CREDITORS)
    invoice_no = f"{at.year}-{seed % 10_000:04d}-{number:05d}"
    accounting_id = f"acc-{rng.getrandbits(40):010x}"
    lines = [_line(rng) for _ in range(rng.randint(1, 4))]
    issued, due = _dates(at.date() - timedelta(days=rng.randint(0, 5)), claim_type)
    invoice: dict[str, Writable] = {
        "claimType": claim_type,
        "creditorId": creditor,
        "accountingInvoiceId": accounting_id,
        **_debtor(rng, number),
        "postalAddress": _address(rng),
        "invoiceNo": invoice_no,
        "invoiceDate": issued.isoformat(),
        "dueDate": due.isoformat(),
        "originalAmount": sum((total for _, total in lines), Decimal(0)),
        "currencyCode": "NOK",
        "description": "Demo: " + str(lines[0][0]["description"]),
    }
    if claim_type != "CollectionCase":
        invoice["orderLines"] = [line for line, _ in lines]
    data: dict[str, Writable] = {"invoice": invoice, "startMessage": "Confirming invoice action"}
    documents = rng.choices((0, 1, 2), (6, 3, 1))[0]
    if documents:
        data["attachments"] = [_document(invoice_no, index) for index in range(documents)]
    event_id = str(UUID(int=rng.getrandbits(128), version=4))
    return _Draft(identity(creditor, claim_type, invoice_no, accounting_id), data, event_id, at)


def _dates(written: date, claim_type: str) -> tuple[date, date]:
    # A collection case is about an invoice that fell due some time ago.
    issued = written - timedelta(days=44) if claim_type == "CollectionCase" else written
    return issued, issued + timedelta(days=14)


def _debtor(rng: random.Random, number: int) -> dict[str, Writable]:
    if rng.random() < 0.3:
        name = f"{rng.choice(_COMPANIES)} {rng.choice(('AS', 'ANS', 'DA'))}"
        mail, private, organization = f"faktura{number}@example.no", "false", organization_number(rng)
    else:
        name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
        mail, private, organization = f"kunde{number}@example.no", "true", None
    return {
        "debtorName": name,
        "debtorNumber": str(10_000 + number),
        "email": mail,
        "ssn": None,
        "organizationNumber": organization,
        "isPrivateIndividual": private,
    }


def organization_number(rng: random.Random) -> str:
    """Nine digits with the check digit that Brønnøysundregistrene prescribes (weights 3 2 7 6 5 4 3 2, modulo 11)."""
    while True:
        digits = [9, *(rng.randrange(10) for _ in range(7))]
        check = -sum(digit * weight for digit, weight in zip(digits, (3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
        if check < 10:
            return "".join(map(str, [*digits, check]))


def _address(rng: random.Random) -> dict[str, Writable]:
    code, city = rng.choice(_PLACES)
    return {
        "addressAddressLine1": f"{rng.choice(_STREETS)} {rng.randint(1, 120)}",
        "addressPostalCode": code,
        "addressCity": city,
        "addressCountryCode": "NO",
    }


def _line(rng: random.Random) -> tuple[dict[str, Writable], Decimal]:
    description, unit, price, vat = rng.choice(_GOODS)
    count = rng.randint(1, 12)
    total = Decimal(price) * count
    line: dict[str, Writable] = {
        "description": description,
        "unitPrice": Decimal(price),
        "count": count,
        "vatInPercent": vat,
        "unit": unit,
        "total": total,
    }
    return line, total


def _document(invoice_no: str, index: int) -> dict[str, Writable]:
    text = f"%PDF-1.4\n% faktura {invoice_no}, vedlegg {index + 1}: a sample, not a real document\n%%EOF\n"
    return {
        "fileName": f"faktura-{invoice_no}-{index + 1}.pdf",
        "mediaType": "application/pdf",
        "content": base64.b64encode(text.encode()).decode(),
    }


def _invoice(draft: _Draft) -> dict[str, Writable]:
    invoice = draft.data["invoice"]
    if not isinstance(invoice, dict):
        raise TypeError("a draft's invoice is an object")
    return dict(invoice)


def _changed(draft: _Draft, rng: random.Random, at: datetime) -> _Draft:
    """The same invoice with another amount, as a new event: must not be billed a second time."""
    invoice = _invoice(draft)
    invoice["originalAmount"] = Decimal("1.00") + rng.randint(1, 1000)
    event_id = str(UUID(int=rng.getrandbits(128), version=4))
    return replace(draft, data={**draft.data, "invoice": invoice}, event_id=event_id, time=at)


def _odd(draft: _Draft, number: int) -> _Draft:
    """The draft with something that a rule warns about."""
    invoice = _invoice(draft)
    oddities: tuple[dict[str, Writable], ...] = (
        {"dueDate": "2020-01-01"},
        {"organizationNumber": "987654321"},
        {"email": "post@"},
        {"postalAddress": {"addressPostalCode": "155", "addressCity": "Oslo", "addressCountryCode": "NO"}},
        {"debtorNumber": None},
    )
    return replace(draft, data={**draft.data, "invoice": {**invoice, **oddities[number % len(oddities)]}})


def _wrong(draft: _Draft, rng: random.Random, partitions: int) -> Sample:
    """One of the ways to get it wrong."""
    return rng.choice(list(_mistakes(draft, partitions)))


def _mistakes(draft: _Draft, partitions: int) -> Iterator[Sample]:
    good = replace(_sample(Kind.GOOD, draft, partitions), kind=Kind.INVALID)
    value = good.value or b""
    invoice = _invoice(draft)
    yield replace(good, value=value[: len(value) // 2])
    yield replace(good, value=b"")
    yield replace(good, value=None)
    yield replace(good, value=value.decode().encode("utf-16"))
    for wrong in ({"invoiceDate": "31.12.2026"}, {"originalAmount": "2 500,00"}, {"debtorName": None}, {"kid": "123"}):
        yield replace(good, value=dumps({**draft.data, "invoice": {**invoice, **wrong}}))
    if partitions > 1:
        yield replace(good, partition=(good.partition + 1) % partitions)
