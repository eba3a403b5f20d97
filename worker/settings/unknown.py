"""Names that look like settings and are none: typos that would otherwise silently leave a default in force."""

import difflib
import re
from collections.abc import Iterable, Iterator

from worker.settings.model import NAMES

PREFIXES = ("document_", "kafka_", "kravia_", "rule_", "topic_", "worker_")

# What Kubernetes puts into every container for a service called `kafka` or `kravia-...` (service links), see "Accessing
# the Service: environment variables" in its documentation.
_SERVICE_LINK = re.compile(r".*_(service_(host|port(_.*)?)|port_\d+_(tcp|udp|sctp)(_(proto|port|addr))?)")
SERVICE_LINK_VALUES = ("tcp://", "udp://", "sctp://")
"""How such a variable's value begins when its name (`KAFKA_PORT`) does not tell."""


def unknown_names(seen: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str | None]]:
    """Of pairs (origin, name): those with a prefix of ours that are no setting, with the closest setting if any.

    Names come out in upper case, sorted.
    """
    for origin, name in sorted(seen):
        lower = name.lower()
        if not lower.startswith(PREFIXES) or lower in NAMES or _SERVICE_LINK.fullmatch(lower):
            continue
        closest = difflib.get_close_matches(lower, NAMES, n=1, cutoff=0.75)
        yield origin, lower.upper(), closest[0].upper() if closest else None
