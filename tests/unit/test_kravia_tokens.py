"""Tokens from settings and from files, and what the client's configuration refuses."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from worker.kravia import FileToken, FixedToken, KraviaConfig


class Monotonic:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


def test_a_changed_file_is_read_again_within_a_second(path: Path, monotonic: Monotonic) -> None:
    token = FileToken(path, monotonic)
    assert (token().get_secret_value(), token.generation) == ("first", 0)
    path.write_text("second-token")
    assert token().get_secret_value() == "first", "it is looked at once a second, not at each call"
    monotonic.seconds = 1.0
    assert (token().get_secret_value(), token.generation) == ("second-token", 1)


def test_the_generation_alone_notices_a_change(path: Path, monotonic: Monotonic) -> None:
    token = FileToken(path, monotonic)
    path.write_text("second-token")
    monotonic.seconds = 1.0
    assert token.generation == 1


def test_a_replaced_link_is_noticed(tmp_path: Path, monotonic: Monotonic) -> None:
    """Kubernetes swaps a symbolic link; size and time of the new file may be the old one's."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"token-{name}")
        os.utime(tmp_path / name, (1, 1))
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    token = FileToken(link, monotonic)
    link.unlink()
    link.symlink_to(tmp_path / "two")
    monotonic.seconds = 5.0
    assert (token().get_secret_value(), token.generation) == ("token-two", 1)


def test_a_rewritten_file_with_the_same_token_is_no_new_generation(path: Path, monotonic: Monotonic) -> None:
    token = FileToken(path, monotonic)
    path.write_text("first")
    monotonic.seconds = 1.0
    assert (token().get_secret_value(), token.generation) == ("first", 0)


@pytest.mark.parametrize("content", [b"", b"  \n", b"two words", b"line\r\nX-Evil: 1", "tøken".encode(), b"x" * 70_000])
def test_a_bad_file_keeps_the_last_good_token(path: Path, monotonic: Monotonic, content: bytes) -> None:
    token = FileToken(path, monotonic)
    path.write_bytes(content)
    monotonic.seconds = 1.0
    assert (token().get_secret_value(), token.generation) == ("first", 0)
    assert token.problem is not None
    assert str(path) in token.problem
    path.write_text("second-token")
    monotonic.seconds = 2.0
    assert (token().get_secret_value(), token.generation) == ("second-token", 1)
    assert not token.problem


def test_a_file_that_is_away_for_a_while_changes_nothing(path: Path, monotonic: Monotonic) -> None:
    token = FileToken(path, monotonic)
    path.unlink()
    monotonic.seconds = 1.0
    assert token().get_secret_value() == "first"
    assert token.problem is not None
    path.write_text("first")
    monotonic.seconds = 2.0
    assert token().get_secret_value() == "first"
    assert not token.problem


def test_a_first_read_that_fails_says_what_to_do(tmp_path: Path, monotonic: Monotonic) -> None:
    with pytest.raises(ValueError, match=r"can't be read .*give a readable file"):
        FileToken(tmp_path / "missing", monotonic)
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="holds no token"):
        FileToken(tmp_path / "empty", monotonic)


def test_a_fixed_token_must_fit_a_header() -> None:
    assert FixedToken(SecretStr("abc"))().get_secret_value() == "abc"
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        FixedToken(SecretStr("secret\r\nX: 1"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"base_url": "ftp://api.kravia.ai"}, "base_url"),
        ({"base_url": "https://user:pass@api.kravia.ai"}, "base_url"),
        ({"base_url": "https://api.kravia.ai?x=1"}, "base_url"),
        ({"prefix": "api/v2/"}, "prefix"),
        ({"id_pointer": "data/id"}, "id_pointer"),
        ({"already_exists_patterns": ("(",)}, "already_exists_patterns"),
        ({"register_timeout": 0.0}, "register_timeout"),
        ({"max_connections": 0}, "max_connections"),
        ({"keepalive": -1.0}, "keepalive"),
    ],
)
def test_a_configuration_that_can_not_work_is_refused_by_name(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        KraviaConfig(**changed)  # type: ignore[arg-type]  # the wrong types are the point
    assert "pass@" not in str(caught.value)
