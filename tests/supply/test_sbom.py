"""The SBOM of a release is held against the lock file."""

import json
from pathlib import Path

import pytest

from tests.supply.sbom import LOCK, main, on_linux

ALL = on_linux(LOCK.read_text(encoding="utf-8"))


def _document(tmp_path: Path, packages: set[tuple[str, str]]) -> str:
    file = tmp_path / "sbom.json"
    spdx = [{"name": name.replace("-", "_"), "versionInfo": version} for name, version in packages]
    file.write_text(json.dumps({"spdxVersion": "SPDX-2.3", "packages": [{"name": "/"}, *spdx]}), encoding="utf-8")
    return str(file)


def test_it_is_complete_when_it_names_every_locked_version_by_any_spelling(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"aiokafka", "uvloop", "pydantic-core"} <= {name for name, _ in ALL}
    assert main([_document(tmp_path, ALL)]) == 0
    assert f"all {len(ALL)} of runtime.txt" in capsys.readouterr().out


def test_one_that_lacks_a_library_or_has_another_version_of_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (aiokafka,) = (each for each in ALL if each[0] == "aiokafka")
    assert main([_document(tmp_path, ALL - {aiokafka} | {("aiokafka", "0.1")})]) == 1
    assert f"it does not name aiokafka {aiokafka[1]}\n" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "null", "{}"])
def test_an_empty_answer_of_the_registry_is_no_sbom(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sbom.json"
    file.write_text(text, encoding="utf-8")
    assert main([str(file)]) == 2
    assert "no SPDX document" in capsys.readouterr().err


def test_what_only_windows_gets_is_not_asked_of_the_image() -> None:
    lock = (
        "pywin32==312 ; sys_platform == 'win32' \\\n    --hash=sha256:00\nuvloop==0.23.0 ; sys_platform != 'win32' \\\n"
    )
    assert on_linux(lock) == {("uvloop", "0.23.0")}
