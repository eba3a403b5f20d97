"""The forge's workflow files."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from tests.ops.charts import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EVERY_WORKFLOW = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in _load(path)["jobs"].values() for step in job.get("steps", ())]


def _fits(schema: str, path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@EVERY_WORKFLOW
def test_the_forge_takes_it(path: Path) -> None:
    _fits("vendor.github-workflows", path)


@EVERY_WORKFLOW
def test_yaml_is_tidy(path: Path) -> None:
    config = YamlLintConfig(
        "{extends: default, rules: {document-start: disable, truthy: {check-keys: false}, line-length: {max: 120},"
        " comments: {min-spaces-from-content: 1}}}"
    )
    assert [str(problem) for problem in linter.run(path.read_text(encoding="utf-8"), config)] == []


@EVERY_WORKFLOW
def test_actions_are_pinned_by_commit_one_for_each(path: Path) -> None:
    used = re.findall(r"uses: (\S+)(?: # (v[\d.]+))?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    for action, release in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)
            assert release, f"{action}: which release is that?"
    pins = {action for other in WORKFLOWS for action in re.findall(r"uses: (\S+@\S+)", other.read_text("utf-8"))}
    assert len({pin.partition("@")[0] for pin in pins}) == len(pins)


@EVERY_WORKFLOW
def test_a_job_may_do_little_and_not_for_ever(path: Path) -> None:
    workflow = _load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert "uses" in job or job["timeout-minutes"] <= 90, name
        assert set(job.get("permissions", {})) <= {"contents", "id-token"}
    for step in _steps(path):
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        # What others write (a branch's name, a title) must not become part of a script.
        assert "${{" not in step.get("run", "")


def test_every_declared_python_is_checked() -> None:
    declared = re.findall(r"Python :: (3\.\d+)\"", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert _load(ROOT / ".github/workflows/ci.yml")["jobs"]["check"]["strategy"]["matrix"]["python"] == declared


def test_a_release_is_checked_first_and_signed_by_digest() -> None:
    jobs = _load(ROOT / ".github/workflows/release.yml")["jobs"]
    assert "ci" in jobs["image"]["needs"]
    assert "image" in jobs["chart"]["needs"]
    build = next(step["with"] for step in jobs["image"]["steps"] if "build-push" in step.get("uses", ""))
    assert (build["provenance"], build["sbom"]) == ("mode=max", True)
    signing = [
        step["run"] for job in jobs.values() for step in job.get("steps", ()) if "cosign sign" in step.get("run", "")
    ]
    assert len(signing) == 2
    assert all(re.search(r'cosign sign .*@\$(DIGEST|digest)"', script) for script in signing)


def test_the_sbom_is_held_against_the_lock_file_before_the_image_is_signed(tmp_path: Path) -> None:
    steps = _load(ROOT / ".github/workflows/release.yml")["jobs"]["image"]["steps"]
    named = [step.get("name", "") for step in steps]
    check = named.index("The SBOM names what runs")
    assert check < named.index("Sign the digest, never the tag")

    # A docker that has an SBOM of nothing: the step must not pass.
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$@" > "$0.called"; echo \'{"spdxVersion": "SPDX-2.3", "packages": []}\'\n')
    docker.chmod(0o755)
    shutil.copytree(ROOT / "tests" / "supply", tmp_path / "tests" / "supply")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    done = subprocess.run(
        ["bash", "-e", "-c", steps[check]["run"]],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "IMAGE": "registry/image", "DIGEST": "sha256:00"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "it does not name aiohappyeyeballs" in done.stderr
    called = (tmp_path / "docker.called").read_text(encoding="utf-8")
    assert '--format {{ json (index .SBOM "linux/amd64").SPDX }}' in called


def test_known_vulnerabilities_are_asked_for_with_each_change_and_each_week() -> None:
    assert _load(ROOT / ".github/workflows/ci.yml")["jobs"]["audit"]["uses"] == "./.github/workflows/audit.yml"
    audit = _load(ROOT / ".github/workflows/audit.yml")
    assert audit[True]["schedule"]  # YAML 1.1 reads the key `on` as true
    assert any(step.get("run", "").startswith("make audit") for step in audit["jobs"]["audit"]["steps"])


def test_whatever_is_pinned_is_renewed_and_no_release_is_taken_on_its_first_day() -> None:
    path = ROOT / ".github" / "dependabot.yml"
    _fits("vendor.dependabot", path)
    updates = _load(path)["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"pip", "docker", "github-actions"}
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)


def test_package_chart_and_image_have_one_version() -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    chart = _load(ROOT / "helm" / "Chart.yaml")
    assert chart["version"] == chart["appVersion"] == version
    assert f"ARG VERSION={version}\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_a_released_chart_links_to_the_runbooks_of_its_tag(tmp_path: Path) -> None:
    steps = _load(ROOT / ".github/workflows/release.yml")["jobs"]["chart"]["steps"]
    ((number, step),) = [(number, step) for number, step in enumerate(steps) if "RUNBOOKS" in step.get("env", {})]
    assert any("helm package" in later.get("run", "") for later in steps[number + 1 :])
    (tmp_path / "helm").mkdir()
    values = tmp_path / "helm" / "values.yaml"
    values.write_text((ROOT / "helm" / "values.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    url = "https://forge.example/billing/worker/blob/v1.2.3/docs/runbooks"
    subprocess.run(
        ["bash", "-e", "-c", step["run"]], cwd=tmp_path, env={"RUNBOOKS": url, "PATH": "/usr/bin:/bin"}, check=True
    )
    before, after = _load(ROOT / "helm" / "values.yaml"), _load(values)
    assert after["alerts"].pop("runbookUrl") == url
    del before["alerts"]["runbookUrl"]
    assert after == before
