"""Where settings come from: the environment before `.env` before the secrets directory, each value's origin kept."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, SecretsSettingsSource, SettingsError

from worker.settings.model import NAMES, Settings
from worker.settings.process import WorkerSettings
from worker.settings.rules import Problem, cautions, problems
from worker.settings.text import allowed, shown
from worker.settings.unknown import SERVICE_LINK_VALUES, unknown_names

_LISTENING = ("worker_http_host", "worker_http_port")


class Purpose(StrEnum):
    """What the settings are for; `TOPICS` needs none that only matter to who calls Kravia, `RULES` no broker either."""

    RUN = "run"
    TOPICS = "topics"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Good settings. `origins`: where each field's value came from; `warnings`: sentences for the log."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Settings that the worker does not start with: everything that is wrong."""

    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a worker with these settings answers probes and `/status`; port 0: a free one that only its log tells."""

    host: str
    port: int
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Gathered:
    values: dict[str, Any]
    origins: dict[str, str]
    seen: list[tuple[str, str]]
    """Origin and name of whatever was there, ours or not."""
    problems: list[Problem]
    warnings: list[str]


def load(
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
    *,
    purpose: Purpose = Purpose.RUN,
) -> Loaded | Refused:
    """Read and judge all settings.

    `environ`: names and values instead of the process's environment; names in any case, empty values count as not
    set. `env_file`: a dotenv file that may be missing; None reads none. The secrets directory is
    `WORKER_SECRETS_DIR`, from either of them.
    """
    gathered = _gather(environ, env_file)
    if purpose is Purpose.RULES:
        gathered.values.setdefault("kafka_bootstrap_servers", "localhost:9092")  # nobody will connect
    warned = [*gathered.warnings]
    for origin, name, closest in unknown_names(gathered.seen):
        hint = f"; did you mean {closest}?" if closest else ""
        warned.append(f"{name} ({origin}) is no setting and has no effect{hint}")
    calls_kravia = purpose is Purpose.RUN
    try:
        settings = Settings(**gathered.values)
    except ValidationError as error:
        found = [*gathered.problems, *_field_problems(error, gathered.values)]
        found += _other_problems(gathered.values, {name for p in found for name in p.names}, calls_kravia=calls_kravia)
        return Refused(tuple(found), tuple(warned))
    found = [*gathered.problems, *problems(settings, calls_kravia=calls_kravia)]
    if found:
        return Refused(tuple(found), tuple(warned))
    origins = {name: gathered.origins.get(name, "default") for name in NAMES}
    return Loaded(settings, origins, (*warned, *cautions(settings)))


def listening(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Listening | Refused:
    """WORKER_HTTP_HOST and WORKER_HTTP_PORT alone, read as `load` reads them: no other setting need be there or right.

    What keeps a source from being read is a warning: it may hold neither of the two.
    """
    gathered = _gather(environ, env_file)
    warned = (*gathered.warnings, *map(str, gathered.problems))
    values = {name: gathered.values[name] for name in _LISTENING if name in gathered.values}
    try:
        settings = WorkerSettings(**values)
    except ValidationError as error:
        return Refused(tuple(_field_problems(error, values)), warned)
    return Listening(settings.worker_http_host, settings.worker_http_port, warned)


def _gather(environ: Mapping[str, str] | None, env_file: Path | None) -> _Gathered:
    environment = EnvSettingsSource(Settings)
    if environ is not None:
        environment.env_vars = {name.lower(): value for name, value in environ.items() if value}
    seen = [name for name, value in environment.env_vars.items() if not str(value).startswith(SERVICE_LINK_VALUES)]
    gathered = _Gathered({}, {}, [("environment", name) for name in seen], [], [])
    _take(gathered, environment, "environment")
    if env_file is not None:
        try:
            dotenv = DotEnvSettingsSource(Settings, env_file=env_file, dotenv_filtering="only_existing")
        except (OSError, UnicodeDecodeError) as error:
            gathered.warnings.append(f"{env_file} could not be read ({type(error).__name__})")
        else:
            gathered.seen += [(str(env_file), name) for name in dotenv.env_vars]
            _take(gathered, dotenv, str(env_file))
    _take_secrets(gathered)
    return gathered


def _take(gathered: _Gathered, source: EnvSettingsSource | SecretsSettingsSource, origin: str) -> None:
    for name, value in source().items():
        if name not in gathered.values:
            gathered.values[name] = value
            gathered.origins[name] = origin


def _take_secrets(gathered: _Gathered) -> None:
    name = "worker_secrets_dir"
    told = gathered.values.get(name)
    directory = Path(told) if told is not None else Settings.model_fields[name].default
    if not directory.is_dir():
        if told is not None:
            gathered.problems.append(Problem((name,), (str(told),), "must be a directory that this process can read"))
        return
    with warnings.catch_warnings(record=True) as odd:
        warnings.simplefilter("always")
        try:
            gathered.seen += [(str(directory), entry.name.lower()) for entry in directory.iterdir()]
            _take(gathered, SecretsSettingsSource(Settings, secrets_dir=directory), str(directory))
        except (OSError, UnicodeDecodeError, SettingsError) as error:
            gathered.problems.append(
                Problem((name,), (str(directory),), f"a file in it could not be read as text ({type(error).__name__})")
            )
    gathered.warnings += [str(warning.message) for warning in odd]
    if gathered.origins.get(name) == str(directory):
        del gathered.values[name], gathered.origins[name]


def _field_problems(error: ValidationError, values: Mapping[str, Any]) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_context=True):
        name = str(detail["loc"][0])
        if detail["type"] == "missing":
            yield Problem((name,), ("(not set)",), f"required; {allowed(name)}")
            continue
        # A validator's own sentence says what is allowed; pydantic's says less than the field's bounds do.
        rule = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else allowed(name)
        yield Problem((name,), (shown(name, values.get(name)),), f"allowed: {rule}")


def _other_problems(values: Mapping[str, Any], bad: set[str], *, calls_kravia: bool) -> list[Problem]:
    """What else is wrong, as if the bad fields stood at their defaults; nothing that depends on one of them."""
    rest = {name: value for name, value in values.items() if name not in bad}
    if "kafka_bootstrap_servers" not in rest:
        rest["kafka_bootstrap_servers"] = "localhost:9092"
    try:
        settings = Settings(**rest)
    except ValidationError:
        return []
    return [found for found in problems(settings, calls_kravia=calls_kravia) if not bad & set(found.names)]
