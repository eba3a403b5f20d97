"""Settings from a few values, as the environment would give them."""

from pathlib import Path

from worker.settings import Loaded, Refused, load

SECRET = "s3cr3t-s3cr3t"
GOOD = {"KAFKA_BOOTSTRAP_SERVERS": "localhost:9092", "KRAVIA_TOKEN": SECRET}


def loaded(env_file: Path | None = None, **more: str) -> Loaded:
    result = load(GOOD | more, env_file)
    assert isinstance(result, Loaded), result
    return result


def refusals(**more: str) -> list[str]:
    result = load(GOOD | more, None)
    assert isinstance(result, Refused), result
    return [str(problem) for problem in result.problems]
