"""The image, as far as it can be tried without a container engine: its build steps, from what its context holds."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from tests.ops.charts import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
RUNTIME = ROOT / "requirements" / "runtime.txt"
INSTRUCTIONS = [
    line.split(maxsplit=1) for line in re.sub(r"\\\n\s*", "", DOCKERFILE).splitlines() if line[:1].isupper()
]


def _said(instruction: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def _locked(path: Path) -> set[str]:
    return {
        _plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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
    last_stage = DOCKERFILE.rpartition("FROM ")[2]
    assert "RUN " not in last_stage, (
        "nothing is installed into the final image: no compiler, no package manager's cache"
    )


def test_the_version_label_is_the_package_s() -> None:
    assert f"VERSION={metadata.version('kravia-invoice-worker')}" in _said("ARG")
    (labels,) = _said("LABEL")
    names = re.findall(r"org\.opencontainers\.image\.(\w+)=", labels)
    assert names == ["title", "description", "licenses", "version", "revision", "created"]


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
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment made by the Dockerfile's steps from what its context lets in; returns its `bin`.

    What the lock file of the run time holds is linked from this environment instead of downloaded, so that nothing
    else can be imported.
    """
    context, target = tmp_path_factory.mktemp("context"), tmp_path_factory.mktemp("target")
    for path in _copied():
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).symlink_to(ROOT / path)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels = target / "dist"
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, context)
    _run(sys.executable, "-m", "venv", "--without-pip", target / "venv")
    python = target / "venv" / "bin" / "python"
    _run(*pip, "--python", python, "install", "--no-deps", "--no-index", *wheels.glob("*.whl"))
    (packages,) = (target / "venv" / "lib").glob("python3*/site-packages")
    for name in _locked(RUNTIME):
        for top in _top_level(name):
            if not (packages / top.name).exists():
                (packages / top.name).symlink_to(top)
    return python.parent


def _top_level(distribution: str) -> Iterator[Path]:
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:  # only for another platform or Python
        return
    for name in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
        yield Path(str(metadata.distribution(distribution).locate_file(name)))


def _run(*command: object) -> str:
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=300, check=False, env=environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_runs_with_the_run_time_s_packages_alone(installed: Path) -> None:
    assert _run(installed / "worker", "--version") == f"worker {metadata.version('kravia-invoice-worker')}\n"
    assert "KAFKA_BOOTSTRAP_SERVERS" in _run(installed / "worker", "config", "--markdown")
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "worker").rglob("*.py")
        if path.stem != "__main__" and "demo" not in path.parts and path.name not in EXTRAS
    )
    assert "worker.app" in modules
    where = _run(installed / "python", "-I", "-c", f"import {', '.join(modules)}; print(worker.__file__)")
    assert where.startswith(str(installed.parent)), "imported from the wheel, not from this checkout"


def test_everything_imported_is_in_the_run_time_s_lock_file() -> None:
    """Imports inside functions too, which no start would show."""
    homes = metadata.packages_distributions()
    locked = _locked(RUNTIME)
    missing = {
        (path.relative_to(ROOT).as_posix(), name)
        for folder in ("worker", "schemas")
        for path in (ROOT / folder).rglob("*.py")
        if "demo" not in path.parts and path.name not in DEVELOPERS_ONLY | EXTRAS
        for name in _imports(path)
        if name not in sys.stdlib_module_names and name not in ("worker", "schemas")
        if not {_plain(home) for home in homes.get(name, [])} & locked
    }
    assert missing == set()


EXTRAS = {"tracing.py"}
"""Needs the extra `otel`, which the image does not hold; `WORKER_TRACING=on` is refused at start without it."""
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
    assert "hatchling" in _locked(ROOT / "requirements" / "build.txt")
    assert _locked(ROOT / "requirements" / "build.txt") <= _locked(ROOT / "requirements" / "dev.txt")
