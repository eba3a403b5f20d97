"""Apache Kafka's jars, fetched once by Maven into a cache outside of the checkout."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.brokers.base import KAFKA_VERSION
from worker.demo.process import ServerError

_POM = Path(__file__).with_name("pom.xml")


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/kravia-invoice-worker`, by default under `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kravia-invoice-worker"


def kafka_jars() -> Path:
    """The directory that holds the jars, fetched first where need be (some 100 MB, seconds).

    Raises ServerError when Maven is missing or fails: says what to install or do.
    """
    target = cache_dir() / f"kafka-{KAFKA_VERSION}"
    if target.is_dir():
        return target
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerError(
            f"Apache Kafka's jars are not in {target} and Maven, which fetches them, is not on PATH: install Maven 3 "
            "(Debian: apt-get install maven), or use --broker=embedded"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    # Fetched beside the target and renamed: a directory that is there is complete, whoever else fetches meanwhile.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetching-") as scratch:
        jars = Path(scratch) / "lib"
        done = subprocess.run(
            [
                *(maven, "--batch-mode", "--quiet", "--strict-checksums", "--file", str(_POM)),
                *(f"-Dkafka.version={KAFKA_VERSION}", "dependency:copy-dependencies"),
                *("-DincludeScope=runtime", f"-DoutputDirectory={jars}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"Maven could not fetch Apache Kafka {KAFKA_VERSION}:\n{done.stdout[-2000:]}")
        try:
            jars.rename(target)
        except OSError:  # somebody else was faster: theirs is as good
            if not target.is_dir():
                raise
    return target


def java() -> str:
    """The `java` to run Kafka with, of version 17 or later. Raises ServerError: says what to install."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        raise ServerError(
            "Apache Kafka needs Java 17 or later and there is no `java` in JAVA_HOME or on PATH: install a JDK "
            "(Debian: apt-get install openjdk-17-jdk-headless), or use --broker=embedded"
        )
    said = subprocess.run([found, "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=False)
    line = next((line for line in said.stderr.splitlines() if "java.specification.version" in line), "")
    major = line.partition("=")[2].strip()
    if not major.isdigit() or int(major) < 17:
        raise ServerError(f"Apache Kafka needs Java 17 or later; {found} says {major or 'nothing readable'}")
    return found
