"""The API: what one harmless search with the token says."""

from typing import Final, assert_never
from urllib.parse import urlsplit

from worker.answers import (
    AlreadyThere,
    Done,
    Forbidden,
    NotSent,
    NotVisible,
    Refused,
    Registered,
    Stop,
    Throttled,
    Unclear,
    answer_class,
)
from worker.doctor.findings import Finding, fail, ok, warn
from worker.doctor.proxy import tunnel_trouble
from worker.forward_proxy import ForwardProxy
from worker.kravia.probe import Probed

_AREA: Final = "kravia"
_NOT_SENT: Final = {
    "dns": "the host's name has no address: check KRAVIA_BASE_URL and the name servers",
    "tls": "its certificate is not trusted: check KRAVIA_CA_FILE and KRAVIA_BASE_URL",
    "connect": "check KRAVIA_BASE_URL, the firewall, and the way out: through a proxy only with KRAVIA_PROXY",
    "token": "the token can't be sent: it must be printable ASCII without blanks; check KRAVIA_TOKEN_FILE",
}


def answer_finding(probed: Probed, base_url: str, proxy: ForwardProxy | None = None) -> Finding:
    """What the answer to the search says. `proxy`: what it was sent through."""
    what, told = f"search at {base_url}", answer_class(probed.answer)
    match probed.answer:
        case Done() | Registered():
            return ok(_AREA, what, "answered; the token is good")
        case Stop(401):
            return fail(
                _AREA,
                what,
                "401: the token is wrong or expired",
                "put the right one into KRAVIA_TOKEN_FILE (or KRAVIA_TOKEN); one of Kravia's test environment is good "
                "nowhere else",
            )
        case Stop(404) | NotVisible() | Refused(404):
            return fail(_AREA, what, "404: there is no API at this address", "correct KRAVIA_BASE_URL")
        case Stop(status):
            to = f" to {probed.redirect}" if probed.redirect else ""
            return fail(
                _AREA, what, f"{status}: it redirects{to}, and redirects are not followed", "correct KRAVIA_BASE_URL"
            )
        case Forbidden():
            return fail(_AREA, what, "403: the token has not the right to search", "have Kravia give it the right")
        case NotSent(why):
            trouble = None if proxy is None else tunnel_trouble(why, proxy, _target(base_url))
            if trouble is not None:
                return fail(_AREA, what, f"not reached: {trouble[0]}", trouble[1])
            return fail(_AREA, what, f"not reached ({told})", _NOT_SENT.get(why, _NOT_SENT["connect"]))
        case Throttled():
            return warn(_AREA, what, "429: it is asked too often now", "run it again later")
        case Unclear(kind="unreadable") if probed.page:
            return fail(
                _AREA,
                what,
                "answered with a web page: this is not the API, or something in between answers for it",
                "correct KRAVIA_BASE_URL, or let the worker out past that portal or proxy",
            )
        case Unclear(kind="unreadable", fields=fields):
            held = f"; it holds {', '.join(fields)}" if fields else ""
            return warn(
                _AREA,
                what,
                f"answered, but no rows can be read{held}",
                "doubts will all be left to a person; tell the worker's developers what the answer looks like",
            )
        case Unclear() | Refused() | AlreadyThere():
            return fail(_AREA, what, f"answered {told}", "run it again; if it stays so, ask Kravia")
        case _ as unreachable:
            assert_never(unreachable)


def _target(base_url: str) -> str:
    """Host and port that a CONNECT names."""
    parts = urlsplit(base_url)
    return parts.netloc if parts.port else f"{parts.netloc}:443"
