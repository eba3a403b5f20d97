"""`make licences`: which licences may stay, and what is said of the others."""

import tomllib
from email.message import Message
from importlib import metadata

import pytest

from tests.supply import licences
from tests.supply.licences import ROOT, Policy, complaints, expression, locked, needed, objection, permitted

ALLOWED = frozenset({"MIT", "Apache-2.0", "BSD-3-Clause"})
WORDS = {"mit license": "MIT", "apache software license": "Apache-2.0", "bsd": "BSD-3-Clause"}


def _said(*fields: tuple[str, str]) -> metadata.PackageMetadata:
    message = Message()
    for name, value in fields:
        message[name] = value
    return _Text(message.as_string()).metadata


class _Text(metadata.Distribution):
    """A distribution that consists of its METADATA."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> object:  # type: ignore[override]
        raise NotImplementedError


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), ("License", "BSD")], "MIT OR Apache-2.0"),
        ([("License", "bsd"), ("Classifier", "License :: OSI Approved :: MIT License")], "BSD-3-Clause"),
        ([("License", "see below"), ("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
        ([("License", "Shareware")], "Shareware"),
        (
            [
                ("Classifier", "License :: OSI Approved :: MIT License"),
                ("Classifier", "License :: OSI Approved :: Apache Software License"),
                ("Classifier", "Typing :: Typed"),
            ],
            "Apache-2.0 AND MIT",
        ),
        ([("Classifier", "License :: Other/Proprietary License")], "License :: Other/Proprietary License"),
        ([("Classifier", "License :: OSI Approved")], None),
        ([("Summary", "none")], None),
    ],
)
def test_what_a_distribution_says(fields: list[tuple[str, str]], expected: str | None) -> None:
    assert expression(_said(("Name", "x"), ("Version", "1"), *fields), WORDS) == expected


@pytest.mark.parametrize(
    ("spdx", "expected"),
    [
        ("MIT", True),
        ("MIT AND (GPL-3.0-only OR Apache-2.0)", True),
        ("MIT AND GPL-3.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("AGPL-3.0-or-later", False),
    ],
)
def test_a_way_under_allowed_licences_must_be_left(spdx: str, expected: bool) -> None:
    assert permitted(spdx, ALLOWED) is expected


@pytest.mark.parametrize(
    ("spdx", "told"),
    [
        ("SSPL-1.0", "'SSPL-1.0', which is not allowed here: take another library"),
        ("Shareware", "'Shareware', which is no SPDX expression: put what it means under [tool.licences.words]"),
        (None, "says nothing of its licence: read its licence file"),
    ],
)
def test_a_licence_that_may_not_stay_is_told_with_what_to_do(spdx: str | None, told: str) -> None:
    assert told in str(objection("x", spdx, ALLOWED, {}))


def test_a_reviewed_licence_may_stay_until_it_changes() -> None:
    reviewed = {"x": "LGPL-2.1-only", "silent": ""}
    assert objection("x", "LGPL-2.1-only", ALLOWED, reviewed) is None
    assert objection("silent", None, ALLOWED, reviewed) is None
    assert "review it again" in str(objection("x", "MIT", ALLOWED, reviewed))


def test_the_project_holds_its_own_policy_and_would_refuse_a_copyleft_library_in_production(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert licences.main() == 0
    assert "all may stay" in capsys.readouterr().out
    policy = Policy.of(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    (yamllint,) = (
        each for each in locked((ROOT / "requirements/dev.txt").read_text("utf-8")) if each.name == "yamllint"
    )
    assert list(complaints([yamllint], set(), policy, [])) == []
    (refused,) = complaints([yamllint], {"yamllint"}, policy, [])
    assert refused.startswith("yamllint ")
    assert "(runs in production) has the licence 'GPL-3.0-or-later'" in refused


def test_a_lock_file_is_read_with_its_markers_and_what_is_missing_is_told() -> None:
    lock = (
        "colorama==0.4.6 ; sys_platform == 'none' \\\n    --hash=sha256:00\n    # via click\n"
        "not-there==1 \\\n    --hash=sha256:00\n"
    )
    absent: list[str] = []
    policy = Policy(ALLOWED, ALLOWED, {}, {})
    assert list(complaints(locked(lock), set(), policy, absent)) == [
        "not-there is in the lock file and not installed: make install"
    ]
    assert absent == ['colorama (sys_platform == "none")']


def test_what_an_extra_needs_counts_as_run_in_production() -> None:
    assert {"opentelemetry-sdk", "protobuf", "certifi"} <= needed(["kravia-invoice-worker[otel]"])
    assert "certifi" not in needed(["kravia-invoice-worker"])
