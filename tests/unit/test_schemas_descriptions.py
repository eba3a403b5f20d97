"""What the JSON Schemas tell a reader: every part has a title, a description and examples that are right."""

import json

import jsonschema
import pytest

from schemas.documents import documents

DOCUMENTS = {name: json.loads(text) for name, text in documents().items()}


def parts(name):
    """Path and schema of the document, its definitions, and the properties of each."""
    document = DOCUMENTS[name]
    for where, owner in {"": document, **document.get("$defs", {})}.items():
        yield where, owner
        for field, schema in owner.get("properties", {}).items():
            yield f"{where}.{field}", schema


@pytest.mark.parametrize("name", ["invoice-requested.v1.json", "outcome.v1.json", "dead-letter-headers.v1.json"])
def test_every_part_says_what_it_is(name):
    silent = {where for where, part in parts(name) if not (part.get("title") and part.get("description"))}
    assert silent - {""} == set()
    assert DOCUMENTS[name]["title"]


def test_every_part_of_an_event_has_examples_that_its_own_schema_accepts():
    document = DOCUMENTS["invoice-requested.v1.json"]
    for where, part in parts("invoice-requested.v1.json"):
        assert part.get("examples"), where
        schema = {"$schema": document["$schema"], "$defs": document["$defs"], **part}
        for example in part["examples"]:
            jsonschema.Draft202012Validator(schema).validate(example)


def test_formats_and_encodings_are_named():
    document = DOCUMENTS["invoice-requested.v1.json"]
    definitions = document["$defs"]
    assert definitions["Invoice"]["properties"]["dueDate"]["format"] == "date"
    assert definitions["ReferencedAttachment"]["properties"]["url"]["format"] == "uri"
    assert definitions["InlineAttachment"]["properties"]["content"]["contentEncoding"] == "base64"


def test_an_attachment_is_one_of_two_forms():
    attachments = DOCUMENTS["invoice-requested.v1.json"]["properties"]["attachments"]["anyOf"][0]
    forms = ["#/$defs/InlineAttachment", "#/$defs/ReferencedAttachment"]
    assert attachments["items"] == {"oneOf": [{"$ref": form} for form in forms]}


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_the_schemas_are_json_schema_and_nothing_else(name):
    jsonschema.Draft202012Validator.check_schema(DOCUMENTS[name])
    text = documents()[name]
    assert text.isascii()
    assert '"discriminator"' not in text  # OpenAPI's keyword


@pytest.mark.parametrize("name", ["outcome.v1.json", "dead-letter-headers.v1.json"])
def test_what_is_read_is_open(name):
    assert '"additionalProperties": false' not in documents()[name]
