"""What a log line holds, and what it must never hold."""

import asyncio
import contextvars
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import structlog
from pydantic import BaseModel, SecretStr

from worker.event_log import About
from worker.model import Coordinates, Envelope, Step
from worker.telemetry import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    out = io.StringIO()
    logs.configure("json", "INFO", out)
    yield out
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    logging.captureWarnings(False)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_structlog_and_the_standard_library_write_the_same_way(stream: io.StringIO):
    structlog.get_logger("worker.app").info("started", partition=3)
    logging.getLogger("aiokafka.consumer").warning("Heartbeat %s", "failed")
    first, second = lines(stream)
    assert (first["event"], first["partition"], first["logger"], first["level"]) == (
        "started",
        3,
        "worker.app",
        "info",
    )
    assert (second["event"], second["logger"], second["level"]) == (
        "Heartbeat failed",
        "aiokafka.consumer",
        "warning",
    )
    assert str(first["timestamp"]).endswith("Z")


def test_the_standard_librarys_extra_is_written(stream: io.StringIO):
    logging.getLogger("worker.x").info("moved", extra={"partition": 3, "email": "kari@example.com"})
    assert lines(stream)[0]["partition"] == 3
    assert "kari" not in stream.getvalue()


def test_lines_inside_an_event_name_it(stream: io.StringIO):
    with structlog.contextvars.bound_contextvars(
        event_id="e-1", identity="10759/Invoice/20001", partition=1, offset=42, step=Step.ATTACH
    ):
        logging.getLogger("worker.saga").info("retrying")
    structlog.get_logger().info("after")
    inside, after = lines(stream)
    assert (inside["event_id"], inside["identity"], inside["partition"], inside["offset"], inside["step"]) == (
        "e-1",
        "10759/Invoice/20001",
        1,
        42,
        "attach",
    )
    assert "identity" not in after


def test_secrets_and_personal_data_are_masked(stream: io.StringIO):
    class Debtor(BaseModel):
        name: str

    structlog.get_logger().info(
        "oops",
        token="tk-4711",
        kravia=SecretStr("tk-4711"),
        Authorization="tk-4711",
        debtor_name="Kari Nordmann",
        value=b"Kari Nordmann",
        thing=Debtor(name="Kari Nordmann"),
        nested=[{"name": "Kari Nordmann"}],
        amount=Decimal("2500.00"),
    )
    text = stream.getvalue()
    assert "tk-4711" not in text
    assert "Kari" not in text
    assert lines(stream)[0]["amount"] == "2500.00"
    assert lines(stream)[0]["thing"] == "<Debtor>"


@pytest.mark.parametrize("output", ["json", "console"])
def test_an_exception_says_where_but_not_with_what(stream: io.StringIO, output: logs.Format):
    logs.configure(output, "INFO", stream)

    def parse(text: str) -> int:
        return int(text)

    name = "Kari Nordmann"
    try:
        parse(name)
    except ValueError:
        structlog.get_logger().exception("bad")
        logging.getLogger("x").exception("bad too")
    text = stream.getvalue()
    assert "ValueError" in text
    assert "in parse" in text
    assert name not in text


def test_a_cause_is_shown_and_an_os_errors_message_too(stream: io.StringIO):
    def fail() -> None:
        try:
            raise OSError(98, "Address already in use")
        except OSError as error:
            raise RuntimeError("Kari") from error

    try:
        fail()
    except RuntimeError:
        structlog.get_logger().exception("bad")
    text = str(lines(stream)[0]["exception"])
    assert "RuntimeError\ncaused by:" in text
    assert "Address already in use" in text
    assert "Kari" not in text.replace('RuntimeError("Kari")', "")  # the source line is ours, not data


def test_asyncio_does_not_print_the_failed_task(stream: io.StringIO):
    logging.getLogger("asyncio").error(
        "Task exception was never retrieved\nfuture: <Task exception=ValueError('Kari')>"
    )
    assert lines(stream)[0]["event"] == "Task exception was never retrieved"


def test_client_libraries_never_log_their_requests(stream: io.StringIO):
    logs.configure("json", "DEBUG", stream)
    logging.getLogger("aiokafka.conn").debug("Request 1: Kari")
    logging.getLogger("worker.x").debug("ours")
    assert [line["event"] for line in lines(stream)] == ["ours"]


def test_the_level_filters(stream: io.StringIO):
    logs.configure("json", "WARNING", stream)
    structlog.get_logger("worker.x").info("quiet")
    logging.getLogger("aiokafka").info("quiet")
    structlog.get_logger("worker.x").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_an_unknown_level_is_refused_by_name(stream: io.StringIO):
    with pytest.raises(ValueError, match="CHATTY"):
        logs.configure("json", "CHATTY", stream)


def test_a_coroutine_that_is_thrown_away_outside_of_its_context_ends_quietly():
    async def wait() -> None:
        with About(Envelope(Coordinates("t", 0, 1), "e-1", None, None, None, datetime.now(UTC)), "1/Invoice/1"):
            await asyncio.sleep(3600)

    coroutine = wait()
    loop = asyncio.new_event_loop()
    try:
        contextvars.copy_context().run(lambda: asyncio._set_running_loop(loop))
        contextvars.copy_context().run(coroutine.send, None)
    finally:
        asyncio._set_running_loop(None)
        loop.close()
    coroutine.close()
