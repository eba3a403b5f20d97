"""The options of Kafka's own programs that pages use: Apache Kafka has them."""

import subprocess

import pytest

from tests.brokers.jars import java, kafka_jars
from tests.docs.markdown import pages
from tests.docs.standin_kafka import OPTIONS, TOOLS

PAGES = "\n".join(path.read_text(encoding="utf-8") for path in pages())


@pytest.mark.apache
@pytest.mark.parametrize("program", [program for program in OPTIONS if program in PAGES])
def test_kafka_knows_the_options(program: str) -> None:
    done = subprocess.run(
        [java(), "-cp", f"{kafka_jars()}/*", TOOLS[program], "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "--bootstrap-server" in said
    unknown = {option for option in OPTIONS[program] if f"--{option}" not in said}
    assert not unknown
