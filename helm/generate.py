"""`python -m helm.generate` writes what the chart knows about settings, so that it can refuse a typo at render time.

`files/settings.json` is for the templates: each setting's default, which ones may come from a Secret or a ConfigMap,
and which ones the chart sets itself, with what to do instead. In `values.schema.json` only the definitions `settings`,
 `secrets`, and what is known of alerts, are generated; the rest of it is written by hand.
"""

import json
from pathlib import Path
from typing import Any, Final

from helm.monitoring.alert import Alert
from helm.monitoring.alerts_money import money_limit
from helm.monitoring.files import alerts
from helm.monitoring.objectives import AGE_LIMITS
from worker.at_risk import CURRENCIES
from worker.settings.model import NAMES, Settings
from worker.settings.text import allowed, description, is_secret

HERE: Final = Path(__file__).parent
SETTINGS: Final = HERE / "files" / "settings.json"
SCHEMA: Final = HERE / "values.schema.json"

INSTEAD: Final = {
    "KAFKA_CLIENT_ID": "is the pod's name; remove it",
    "KAFKA_GROUP_INSTANCE_ID": "must differ for each pod, else they fight for ever; set workload.kind: StatefulSet, "
    "which makes it the pod's name",
    "KRAVIA_TOKEN": "is a secret and no setting for a ConfigMap; set secrets.KRAVIA_TOKEN_FILE, which is read again "
    "when it changes",
    "WORKER_ALLOW_FAULTS": "is for tests: it lets the worker kill or freeze itself; remove it",
    "WORKER_FAULT_POINT": "is for tests: it kills or freezes the worker on purpose; remove it",
    "WORKER_GRACE": "is what terminationGracePeriodSeconds says; set that",
    "WORKER_SECRETS_DIR": "is where the chart mounts what secrets names; set secrets",
    "DOCUMENT_SPOOL_DIR": "is the volume that the chart mounts; set spool.sizeMiB",
}
"""Settings that the chart sets itself or must not set, and what to do about one that is given."""

_FROM_BOTH: Final = ("KAFKA_SASL_USERNAME", "KRAVIA_PROXY")
"""From settings or secrets: a user comes in one Secret with its password; a proxy's URL is a secret when it holds one,
which the templates look at."""


def known() -> list[str]:
    """Every setting's name, in the order of the documentation."""
    return [name.upper() for name in NAMES]


def from_files(name: str) -> bool:
    """Whether a setting names a file, which the chart mounts."""
    return name.endswith("_FILE")


def from_secrets() -> list[str]:
    """Settings that `secrets` may name: secrets, and files."""
    return [
        name
        for name in known()
        if name not in INSTEAD and (is_secret(name.lower()) or from_files(name) or name in _FROM_BOTH)
    ]


def settings_json() -> dict[str, Any]:
    """What the templates read."""
    defaults = {}
    for name in known():
        field = Settings.model_fields[name.lower()]
        if not field.is_required() and field.default_factory is None and field.default is not None:
            value = field.default
            defaults[name] = value if isinstance(value, bool | int | float) else str(value)
    names = known()
    return {
        "names": names,
        "defaults": {name: value for name, value in defaults.items() if value != "()"},
        "fromSecrets": from_secrets(),
        "instead": {name: text for name, text in INSTEAD.items() if name in names}
        | {name: f"is a secret or a file; set secrets.{name}" for name in from_secrets() if name not in _FROM_BOTH},
    }


def _definition(name: str) -> dict[str, Any]:
    """JSON Schema of one setting as YAML people write it: numbers are numbers, switches true or false."""
    field: dict[str, Any] = Settings.model_json_schema()["properties"][name.lower()]
    variant = {**field, **next((v for v in field.get("anyOf", ()) if v.get("type") != "null"), {})}
    kept = ("enum", "exclusiveMinimum", "items", "maxLength", "maximum", "minLength", "minimum", "pattern", "type")
    text = f"{description(name.lower())} Allowed: {allowed(name.lower())}."
    return {"description": text} | {key: variant[key] for key in kept if key in variant}


def settings_definition() -> dict[str, Any]:
    """`definitions.settings`. A setting that the chart refuses is let through: the templates say what to do instead."""
    told = settings_json()["instead"]
    properties = {
        name: {"description": f"Not to be set here: it {told[name]}."} if name in told else _definition(name)
        for name in known()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def secrets_definition() -> dict[str, Any]:
    """`definitions.secrets`."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"$ref": "#/definitions/fileSource" if from_files(name) else "#/definitions/secretSource"}
            for name in from_secrets()
        },
    }


def _alert_definition(alert: Alert) -> dict[str, Any]:
    """What may be said of one alert in `alerts.rules`."""
    properties: dict[str, Any] = {
        "enabled": {"type": "boolean"},
        "severity": {"type": "string", "minLength": 1},
        "for": {"$ref": "#/definitions/longDuration"},
        "labels": {"$ref": "#/definitions/strings"},
    }
    if alert.choices:
        properties["threshold"] = {"enum": list(alert.choices)}
    elif alert.threshold is not None:
        properties["threshold"] = {"type": "number", "minimum": 0}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def alerts_definition() -> dict[str, Any]:
    """`definitions.alertRules`: an alert that there is none of can't be switched off."""
    properties = {alert.name: _alert_definition(alert) for alert in (*alerts(), money_limit())}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def generated() -> dict[Path, str]:
    """Path and text of each file."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["definitions"]["settings"] = settings_definition()
    schema["definitions"]["secrets"] = secrets_definition()
    schema["definitions"]["alertRules"] = alerts_definition()
    limit = {"type": "number", "exclusiveMinimum": 0}
    schema["definitions"]["moneyLimits"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(CURRENCIES, limit),
    }
    schema["definitions"]["ageLimit"] = {"enum": list(AGE_LIMITS)}
    return {
        path: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for path, document in ((SETTINGS, settings_json()), (SCHEMA, schema))
    }


def main() -> None:
    """Write both files anew."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
