"""The image, as far as it can be tried without a container engine: its build steps, from what its context holds."""

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from tests.ops.charts import ROOT
from tests.ops.dockerfile import Image, build, instructions
from tests.ops.offline_pip import locked, plain_name

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
RUNTIME = ROOT / "requirements" / "runtime.txt"
INSTRUCTIONS = instructions(DOCKERFILE)


def _said(instruction: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def _copied() -> list[str]:
    """Paths that the build stage copies from the context."""
    return [path for rest in _said("COPY") if not rest.startswith("--") for path in shlex.split(rest)[:-1]]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_is_pinned_by_digest_and_both_stages_are_on_it() -> None:
    (pinned,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:3\.13[\w.-]*slim[\w-]*@sha256:[0-9a-f]{64}", pinned)
    assert [rest.split()[0] for rest in _said("FROM")] == ["${PYTHON_IMAGE}"] * 2


def test_it_runs_as_a_number_that_is_not_root_and_hears_signals() -> None:
    assert _said("USER") == ["10001:10001"]
    assert _said("ENTRYPOINT") == ['["worker"]']
    assert _said("CMD") == ['["run"]']
    assert _said("STOPSIGNAL") == ["SIGTERM"]
    last_stage = DOCKERFILE.rpartition("FROM ")[2]
    assert "RUN " not in last_stage, (
        "nothing is installed into the final image: no compiler, no package manager's cache"
    )


def test_the_version_label_is_the_package_s() -> None:
    assert f"VERSION={metadata.version('kravia-invoice-worker')}" in _said("ARG")
    (labels,) = _said("LABEL")
    names = re.findall(r"org\.opencontainers\.image\.(\w+)=", labels)
    assert names == ["title", "description", "licenses", "source", "version", "revision", "created"]


def test_the_context_holds_what_is_copied_and_no_more() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert let_in == set(_copied())
    assert all((ROOT / path).exists() for path in let_in)


def test_the_health_check_asks_the_port_that_is_set(tmp_path: Path) -> None:
    (check,) = _said("HEALTHCHECK")
    command = ast.literal_eval(check.partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    asks = tmp_path / "urllib" / "request.py"
    asks.parent.mkdir()
    (asks.parent / "__init__.py").touch()
    asks.write_text("def urlopen(url, timeout): print(url, timeout)\n", encoding="utf-8")
    for port, expected in (("9090", "9090"), ("", "8080")):
        environ = {"PYTHONPATH": str(tmp_path), "WORKER_HTTP_PORT": port}
        said = subprocess.run([sys.executable, *command[1:]], env=environ, capture_output=True, text=True, check=True)
        assert said.stdout == f"http://127.0.0.1:{expected}/livez 4\n"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """What the final stage holds, made by the Dockerfile's own text; nothing in it may be written."""
    built = build(DOCKERFILE, ROOT, tmp_path_factory.mktemp("image"))
    paths = [built.root, *built.root.rglob("*")]
    modes = {path: path.lstat().st_mode for path in paths if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield built
    for path, mode in modes.items():
        path.chmod(mode)


def _snapshot(image: Image) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in (image.root, *image.root.rglob("*"))}


def test_the_final_stage_holds_one_folder_of_the_build_s(image: Image) -> None:
    assert [path.relative_to(image.root).as_posix() for path in image.root.glob("*/*")] == ["opt/worker"]
    assert not (image.root / "opt/worker/bin/pip").exists()
    assert image.environ["PYTHONDONTWRITEBYTECODE"] == "1"


def test_what_is_installed_runs_with_the_run_time_s_packages_alone(image: Image) -> None:
    assert image.run("worker", "--version") == f"worker {metadata.version('kravia-invoice-worker')}\n"
    assert "KAFKA_BOOTSTRAP_SERVERS" in image.run("worker", "config", "--markdown")
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "worker").rglob("*.py")
        if path.stem != "__main__" and "demo" not in path.parts
    )
    assert {"worker.app", "worker.telemetry.tracing"} <= set(modules)
    where = image.run("python", "-I", "-c", f"import {', '.join(modules)}; print(worker.__file__)")
    assert where.startswith(str(image.root)), "imported from the wheel, not from this checkout"


def test_it_starts_from_files_that_cannot_be_written_and_writes_none(image: Image) -> None:
    before = _snapshot(image)
    image.run("worker", "--version")
    image.run("worker", "config", "--markdown")
    refused = image.run("worker", "run", status=2)
    assert "KAFKA_BOOTSTRAP_SERVERS" in refused
    assert _snapshot(image) == before


def test_bytecode_is_compiled_when_it_is_built(image: Image) -> None:
    (packages,) = image.root.glob("opt/worker/lib/python3*/site-packages")
    sources = [path for name in ("worker", "schemas") for path in (packages / name).rglob("*.py")]
    assert len(sources) > 100
    for path in sources:
        assert Path(importlib.util.cache_from_source(str(path))).is_file(), path.name


def test_traces_are_one_setting_away(image: Image) -> None:
    settings = {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "KRAVIA_TOKEN": "t", "WORKER_TRACING": "on"}
    said = image.run(
        "python",
        "-I",
        "-c",
        "import os; from worker.settings import load; from worker.wiring import span_export;"
        "print(type(span_export(load(dict(os.environ), None).settings, '1')).__name__)",
        more=settings,
    )
    assert said == "Export\n"


def test_everything_imported_is_in_the_run_time_s_lock_file() -> None:
    """Imports inside functions too, which no start would show."""
    homes = metadata.packages_distributions()
    held = locked(RUNTIME)
    missing = {
        (path.relative_to(ROOT).as_posix(), name)
        for folder in ("worker", "schemas")
        for path in (ROOT / folder).rglob("*.py")
        if "demo" not in path.parts and path.name not in DEVELOPERS_ONLY
        for name in _imports(path)
        if name not in sys.stdlib_module_names and name not in ("worker", "schemas")
        if not {plain_name(home) for home in homes.get(name, [])} & held
    }
    assert missing == set()


DEVELOPERS_ONLY = {"yamltext.py"}
"""Writes the AsyncAPI document (`python -m schemas`); nothing at run time imports it."""


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_the_build_s_lock_file_holds_the_build_system() -> None:
    assert "hatchling" in locked(ROOT / "requirements" / "build.txt")
    assert locked(ROOT / "requirements" / "build.txt") <= locked(ROOT / "requirements" / "dev.txt")
