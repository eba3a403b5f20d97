"""The URL of a forward proxy: what it comes to, what is refused, and that no password is in what is said."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.forward_proxy import parse_proxy

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("HTTP://Proxy.Example.com/", "http://proxy.example.com:80"),
        ("https://proxy", "https://proxy:443"),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("http://user:word@proxy:3128", "http://proxy:3128"),
    ],
)
def test_where_it_is(text: str, url: str) -> None:
    assert parse_proxy(text).url == url


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("proxy:3128", "neither http:// nor https://"),
        ("proxy.example.com", "neither http:// nor https://"),
        (f"socks5://user:{SECRET}@proxy:1080", "neither http:// nor https://"),
        ("http:proxy:3128", "neither http:// nor https://"),
        ("", "neither http:// nor https://"),
        ("http://proxy:3128/path", "a path, query or fragment"),
        (f"http://user:{SECRET}/x@proxy:3128", "can't be read"),
        (f"http://user:{SECRET}#x@proxy:3128", "can't be read"),
        ("http://proxy:3128?a=b", "a path, query or fragment"),
        ("http://proxy:3128?", "a path, query or fragment"),
        ("http://proxy:3128#", "a path, query or fragment"),
        ("http://proxy:0", "host or port"),
        ("http://proxy:99999", "host or port"),
        ("http://:3128", "host or port"),
        ("http://[fd00::1", "host or port"),
        (f"http://user:{SECRET}@", "host or port"),
        (f"http://user:{SECRET} @proxy:3128", "blanks"),
        (f"http://user:{SECRET}\n@proxy:3128", "blanks"),
        (f"http://jörg:{SECRET}@proxy:3128", "not ASCII"),
        (f"http://:{SECRET}@proxy:3128", "the user of this one is empty"),
        ("http://@proxy:3128", "the user of this one is empty"),
        (f"http://a%3Ab:{SECRET}@proxy:3128", "holds a colon"),
        (f"http://user:{SECRET}%0d%0aX-More@proxy:3128", "control character"),
        (f"http://user:{SECRET}%FF@proxy:3128", "not UTF-8"),
    ],
)
def test_what_is_none_is_refused_with_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"^http://host\[:port\]") as refused:
        parse_proxy(text)
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


_WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs")))


@given(user=_WORDS.filter(lambda word: word and ":" not in word), password=_WORDS)
def test_user_and_password_arrive_as_they_were_meant(user: str, password: str) -> None:
    def written(word: str) -> str:
        return "".join(f"%{byte:02X}" for byte in word.encode())

    proxy = parse_proxy(f"http://{written(user)}:{written(password)}@proxy:3128")
    assert proxy.authorization is not None
    scheme, _, told = proxy.authorization.get_secret_value().partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(told).decode() == f"{user}:{password}"
    assert told not in repr(proxy)


@given(st.text())
def test_whatever_is_written_it_is_read_or_refused_in_words(text: str) -> None:
    try:
        proxy = parse_proxy(text)
    except ValueError as error:
        told = str(error)
    else:
        told = "http://host[:port]"
        assert parse_proxy(proxy.url).url == proxy.url
    assert told.startswith("http://host[:port]")
