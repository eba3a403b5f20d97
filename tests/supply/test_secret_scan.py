"""`make secrets`: what it finds, what it leaves alone, and what it tells."""

import base64
import random
import string
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.supply.secret_scan import committed, main, scan

# Made anew from a seed, so that this file itself holds nothing that looks like a secret.
_RANDOM = random.Random(20001)


def _characters(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(_RANDOM.choice(alphabet) for _ in range(count))


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_JWT = ".".join((_encoded('{"alg":"RS256","typ":"JWT"}'), _encoded('{"sub":"creditor-10759"}'), _characters(86)))
_LINES = "\n".join(base64.b64encode(_RANDOM.randbytes(48)).decode() for _ in range(12))
_PLANTED = {
    "aws.env": f"AWS_ACCESS_KEY_ID=AKIA{_characters(16, string.ascii_uppercase + '234567')}\n"
    f"AWS_SECRET_ACCESS_KEY={_characters(40)}\n",
    "client.pem": f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{_LINES}\n-----END RSA PRIVATE {'KEY'}-----\n",
    "calls.py": f'HEADERS = {{"X-Token": "{_JWT}"}}\n',
    "forge.txt": f"ghp_{_characters(36)}\n",
    "worker.env": f"KRAVIA_TOKEN={_characters(31)}7\n",
    "broker.env": f"KAFKA_SASL_PASSWORD={_characters(19)}7\n",
    "settings.py": f'Settings(kravia_token="{_characters(31, "0123456789abcdef")}7")\n',
    "values.yaml": f"kravia:\n  token: {_characters(46)}72\n",
    "call.sh": f"curl -H 'Authorization: Bearer {_characters(40)}' https://api.kravia.ai\n",
    "address.txt": f"https://ops:{_characters(18)}@store.internal/worker\n",
}


def _written(directory: Path, texts: dict[str, str]) -> list[str]:
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return list(texts)


def test_it_finds_a_secret_of_every_kind_and_names_its_line(tmp_path: Path) -> None:
    findings = scan(tmp_path, _written(tmp_path, _PLANTED))
    assert {finding.path for finding in findings} == set(_PLANTED)
    assert next(finding.line for finding in findings if finding.path == "values.yaml") == 2


def test_it_leaves_alone_what_is_no_secret(tmp_path: Path) -> None:
    texts = {
        "README.md": "KRAVIA_TOKEN=local, `token: ${{ secrets.TOKEN }}`, https://user:pass@host/path\n",
        "code.py": 'token = self.kravia.settings.token\nsettings = Settings(kravia_token="secret-token")\n',
        "digests.json": f'{{"sha256": "{_characters(64, "0123456789abcdef")}"}}\n',
        "marked.env": f"KRAVIA_TOKEN={_characters(31)}7 # kingfisher:ignore\n",
    }
    assert scan(tmp_path, _written(tmp_path, texts)) == []


def test_it_fails_and_says_where_and_what_to_do_but_never_the_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _written(tmp_path, _PLANTED)
    assert main([str(tmp_path)]) == 1
    told = "".join(capsys.readouterr())
    assert "worker.env:1: secret setting of the worker (worker.setting)" in told
    assert "revoke" in told
    assert "kingfisher:ignore" in told
    secret = _PLANTED["worker.env"].partition("=")[2].strip()
    assert secret not in told
    assert _LINES.splitlines()[0] not in told


def test_in_a_checkout_it_reads_what_is_tracked_or_new_and_not_what_git_ignores(tmp_path: Path) -> None:
    git: Callable[..., object] = lambda *arguments: subprocess.run(["git", *arguments], cwd=tmp_path, check=True)  # noqa: E731
    git("init", "-q")
    _written(tmp_path, {".gitignore": ".env\n", ".env": "", "tracked": "", "gone": "", "new ä": ""})
    git("add", "tracked", "gone", ".gitignore")
    (tmp_path / "gone").unlink()
    assert committed(tmp_path) == [".gitignore", "new ä", "tracked"]


def test_where_there_is_no_checkout_it_reads_everything_but_what_tools_leave(tmp_path: Path) -> None:
    for name in (".venv/lib", "build", "worker/__pycache__", ".mypy_cache", "x.egg-info"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "left").touch()
    _written(tmp_path, {"README.md": "", "worker/cli.py": "", ".env": ""})
    assert committed(tmp_path) == ["README.md", "worker/cli.py"]


def test_where_git_cannot_tell_it_says_so_and_reads_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _written(tmp_path, {".git": "gitdir: nowhere\n", "README.md": ""})
    assert "README.md" in committed(tmp_path)
    assert "git does not say what is tracked" in capsys.readouterr().err


def test_a_scan_that_could_not_be_made_is_no_clean_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _written(tmp_path, {"README.md": ""})
    for broken in ("true", "false", "not-there"):
        monkeypatch.setattr("tests.supply.secret_scan.KINGFISHER", broken)
        assert main([str(tmp_path)]) == 2
        assert capsys.readouterr().out == ""
