"""Kravia's HTTP API behind `ports.KraviaApi`.

`client` makes the calls, `leaving` decides the moment at which bytes leave, `classify` says what an answer means,
`reading` what its body holds, `multipart` builds the two forms, `connections` the sockets, `tokens` the credentials.
What is known of the API, and what is an assumption, is said where it is used.
"""

from worker.kravia.client import KraviaClient
from worker.kravia.config import FileEncoding, KraviaConfig
from worker.kravia.tokens import FileToken, FixedToken, TokenSource

__all__ = ["FileEncoding", "FileToken", "FixedToken", "KraviaClient", "KraviaConfig", "TokenSource"]
