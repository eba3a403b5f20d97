"""The JSON Schema and the models say the same, but for the rules that are listed as prose."""

from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from schemas.events import InvoiceRequest, check
from schemas.identity import partition_for
from schemas.jsontext import dumps, loads
from schemas.prose import MODEL_RULES, TEXT_RULES, WORKER_RULES, markdown
from tests.unit.schema_values import document_schema, odd, valid
from worker.decode import decode
from worker.model import Invalid, Record

ROOT = Path(__file__).parents[2]
SCHEMA = document_schema("invoice-requested.v1.json")
FIELDS = {rule.code: set(rule.fields) for rule in MODEL_RULES}
EXAMPLES = [loads(path.read_bytes()) for path in (ROOT / "schemas" / "examples").glob("invoice-requested.*.json")]


def whole_number(_checker, value):
    # JSON Schema calls 1.0 an integer; the library knows that of floats, not of Decimal.
    if isinstance(value, Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", whole_number)
VALIDATOR = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=TYPES)
LENIENT = VALIDATOR(SCHEMA)
STRICT = VALIDATOR(SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def is_listed(violation):
    """Whether a violation is one of the rules that only prose says."""
    named = [part for part in violation.pointer.split("/") if part and not part.isdigit()]
    return bool(named) and named[-1] in FIELDS.get(violation.code, set())


def agree(data):
    """Hold schema and models to each other on one value."""
    data = loads(dumps(data))
    result = check(data)
    if isinstance(result, InvoiceRequest):
        assert STRICT.is_valid(data), [e.message for e in STRICT.iter_errors(data)]
        event("both accept")
    elif LENIENT.is_valid(data):
        assert all(is_listed(v) for v in result), result
        event("prose only: " + ", ".join(sorted({v.code for v in result})))
    else:
        event("both refuse")


def paths(value, above=()):
    """Where every value stands."""
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from paths(part, (*above, key))


def changed(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


MADE = valid(SCHEMA, SCHEMA)


def at(value, path):
    for key in path:
        value = value[key]
    return value


def one_change(data):
    where = st.sampled_from([*paths(data)])
    return where.flatmap(lambda path: st.builds(changed, st.just(data), st.just(path), odd(at(data, path))))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(MADE)
def test_what_the_schema_accepts_the_models_take_but_for_the_listed_rules(data):
    assert LENIENT.is_valid(loads(dumps(data)))
    agree(data)


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given((st.sampled_from(EXAMPLES) | MADE).flatmap(one_change))
def test_one_change_to_a_valid_event_is_judged_alike_by_both(data):
    agree(data)


@given(st.sampled_from(EXAMPLES), st.sampled_from(["invoice", ""]), st.data())
def test_a_field_that_is_missing_or_unknown_is_judged_alike_by_both(event_data, where, draw):
    data = loads(dumps(event_data))
    part = data[where] if where else data
    name = draw.draw(st.sampled_from([*part, "unknown"]))
    if name in part:
        del part[name]
    else:
        part[name] = 1
    agree(data)


def invoice(**changes):
    data = next(data for data in EXAMPLES if "attachments" not in data and data["invoice"]["claimType"] == "Invoice")
    return {"invoice": data["invoice"] | changes}


def attached(*attachments):
    document = {"fileName": "a.pdf", "mediaType": "application/pdf"}
    return invoice() | {"attachments": [document | more for more in attachments]}


REFERENCE = {"url": "https://a.example/x", "sha256": "0" * 64, "size": 1}
BROKEN_MODEL_RULES = {
    "wrong_type": invoice(creditorId=Decimal("10759.0")),
    "too_many_digits": invoice(originalAmount=Decimal("1234567890.1234567890123456789012345678901")),
    "bad_date": invoice(dueDate="2025-02-29"),
    "text_too_long": attached({"content": "QUJD", "fileName": "å" * 128}),
    "bad_base64": attached({"content": "QUJDR"}),
    "digest_differs": attached({"content": "QUJD", "sha256": "0" * 64}),
    "bad_url": attached(REFERENCE | {"url": "https://a.example:65536/"}),
}
BROKEN_WORKER_RULES = {
    "too_many": attached(*[{"content": "QUJD", "fileName": f"{i}.pdf"} for i in range(21)]),
    "too_large": attached(REFERENCE | {"size": 25 * 1024 * 1024 + 1}),
    "duplicate_file_name": attached({"content": "QUJD"}, REFERENCE),
    "misrouted": invoice(invoiceNo="20001-elsewhere"),
}
BROKEN_TEXT_RULES = {
    "wrong_encoding": b'{"invoice":"\\ud800"}',
    "duplicate_name": b'{"invoice":1,"invoice":2}',
    "not_a_number": b'{"invoice":NaN}',
    "number_too_long": b'{"invoice":1e200}',
    "too_deep": b'{"invoice":' + b"[" * 65 + b"]" * 65 + b"}",
}


def refusals(value):
    key = b"10759/Invoice/20001"
    record = Record("invoice.requests", partition_for(key, 12), 0, 0, key, value, ())
    result = decode(record, partition_count=12)
    assert isinstance(result, Invalid)
    return {problem.code for problem in result.problems}


@pytest.mark.parametrize("rule", MODEL_RULES, ids=lambda rule: rule.code)
def test_each_rule_of_the_models_is_one_that_the_schema_misses(rule):
    data = BROKEN_MODEL_RULES[rule.code]
    assert LENIENT.is_valid(data)
    assert {v.code for v in check(data)} == {rule.code}
    assert all(is_listed(v) for v in check(data))
    assert refusals(dumps(data)) == {rule.code}


@pytest.mark.parametrize("rule", WORKER_RULES, ids=lambda rule: rule.code)
def test_each_rule_of_the_worker_is_one_that_schema_and_models_miss(rule):
    data = BROKEN_WORKER_RULES[rule.code]
    assert STRICT.is_valid(data)
    assert isinstance(check(data), InvoiceRequest)
    assert refusals(dumps(data)) == {rule.code}


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.code)
def test_each_rule_of_the_text_is_kept_by_the_reader(rule):
    assert refusals(BROKEN_TEXT_RULES[rule.code]) == {rule.code}


def test_the_documentation_lists_the_rules():
    assert markdown() in (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
