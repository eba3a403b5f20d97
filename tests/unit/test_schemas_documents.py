"""The published files: in sync with the models, and examples that both accept."""

import json
from pathlib import Path

import jsonschema
import pytest

from schemas.__main__ import generated, main
from schemas.commands import check_command
from schemas.dead_letters import DeadLetterHeaders
from schemas.documents import documents
from schemas.events import InvoiceRequest, check
from schemas.jsontext import loads
from schemas.outcomes import OUTCOME, OUTCOME_TYPES
from schemas.published import broken, published

FOLDER = Path(__file__).parents[2] / "schemas"
EXAMPLES = sorted((FOLDER / "examples").glob("*.json"))


def validator(name):
    schema = json.loads(documents()[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def of(prefix):
    files = [path for path in EXAMPLES if path.name.startswith(prefix)]
    assert files
    return pytest.mark.parametrize("path", files, ids=lambda p: p.stem)


def test_the_generated_files_are_up_to_date():
    assert published(FOLDER / "json") == documents(), "run `python -m schemas`"


def test_nothing_published_is_broken():
    before = published(FOLDER / "json" / "published")
    assert set(before) == {
        f"{name}.v1.json" for name in ("invoice-requested", "outcome", "command", "dead-letter-headers")
    }
    assert broken(before, documents()) == []


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr("schemas.__main__.__file__", str(tmp_path / "__main__.py"))
    return tmp_path / "json"


def test_the_command_writes_them_all(elsewhere):
    assert main() == 0
    root = elsewhere.parent
    written = {path.relative_to(root).as_posix(): path for path in root.rglob("*.*")}
    assert {name: path.read_text(encoding="utf-8") for name, path in written.items()} == generated()


def test_publishing_copies_them(elsewhere):
    assert main(["--publish"]) == 0
    assert published(elsewhere / "published") == documents()


def test_publishing_is_refused_where_it_would_break_somebody(elsewhere, capsys):
    main(["--publish"])
    file = elsewhere / "published" / "outcome.v1.json"
    before = json.loads(file.read_text(encoding="utf-8"))
    before["$defs"]["ScheduledOutcome"]["properties"]["gone"] = {"type": "string"}
    file.write_text(json.dumps(before), encoding="utf-8")
    assert main(["--publish"]) == 1
    assert "outcome.v1.json: /gone: properties: is gone" in capsys.readouterr().err
    assert json.loads(file.read_text(encoding="utf-8")) == before


def test_an_unknown_argument_is_refused(elsewhere, capsys):
    assert main(["--force"]) == 2
    assert "usage" in capsys.readouterr().err
    assert not elsewhere.exists()


def test_a_published_file_must_stay_and_a_new_one_breaks_nobody():
    texts = documents()
    assert broken(texts, texts | {"outcome.v2.json": "{}"}) == []
    [found] = broken(texts, {name: text for name, text in texts.items() if name != "outcome.v1.json"})
    assert found.startswith("outcome.v1.json: is gone")
    [unknown] = broken({"else.v1.json": "{}"}, {"else.v1.json": "{}"})
    assert "not known" in unknown


@of("invoice-requested.")
def test_event_examples(path):
    validator("invoice-requested.v1.json").validate(json.loads(path.read_text(encoding="utf-8")))
    assert isinstance(check(loads(path.read_bytes())), InvoiceRequest)


@of("outcome.")
def test_outcome_examples(path):
    validator("outcome.v1.json").validate(json.loads(path.read_text(encoding="utf-8")))
    outcome = OUTCOME.validate_json(path.read_bytes())
    assert path.name == f"outcome.{outcome.outcome}.json"


def test_every_outcome_has_its_example():
    assert {p.name for p in EXAMPLES if p.name.startswith("outcome.")} == {f"outcome.{k}.json" for k in OUTCOME_TYPES}


@of("command.")
def test_command_examples(path):
    data = json.loads(path.read_text(encoding="utf-8"))
    validator("command.v1.json").validate(data)
    command = check_command(data)
    assert not isinstance(command, list)
    assert path.name == f"command.{command.verb}.json"


@pytest.mark.parametrize("change", [{"verb": "maybe"}, {"doubt": -1}, {"who": ""}, {"invoiceId": None}, {"unknown": 1}])
def test_the_commands_schema_refuses_what_the_model_refuses(change):
    data = json.loads((FOLDER / "examples" / "command.registered.json").read_text(encoding="utf-8")) | change
    assert not validator("command.v1.json").is_valid(data)
    assert isinstance(check_command(data), list)


@of("dead-letter-headers")
def test_dead_letter_example(path):
    validator("dead-letter-headers.v1.json").validate(json.loads(path.read_text(encoding="utf-8")))
    DeadLetterHeaders.model_validate_json(path.read_bytes())


@pytest.mark.parametrize(
    "change",
    [
        {"originalAmount": "2500"},
        {"creditorId": "10759"},
        {"claimType": "Bill"},
        {"unknown": 1},
        {"isPrivateIndividual": "yes"},
        {"currencyCode": "kr"},
        {"invoiceNo": None},
        {"orderLines": [{"description": "x"}]},
    ],
)
def test_the_schema_refuses_what_the_model_refuses(change):
    data = json.loads((FOLDER / "examples" / "invoice-requested.invoice.json").read_text(encoding="utf-8"))
    data["invoice"].update(change)
    assert not validator("invoice-requested.v1.json").is_valid(data)
    assert isinstance(check(data), list)


def test_readers_pass_over_fields_that_a_later_release_adds():
    path = FOLDER / "examples" / "outcome.scheduled.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data |= {"added": {"later": 1}, "origin": {**data["origin"], "added": 1}}
    validator("outcome.v1.json").validate(data)
    assert OUTCOME.validate_python(data) == OUTCOME.validate_json(path.read_bytes())


def test_an_outcome_of_a_newer_version_is_refused_by_name():
    data = json.loads((FOLDER / "examples" / "outcome.scheduled.json").read_text(encoding="utf-8")) | {"version": 2}
    errors = list(validator("outcome.v1.json").iter_errors(data))
    assert errors
    with pytest.raises(ValueError, match="version"):
        OUTCOME.validate_python(data)
