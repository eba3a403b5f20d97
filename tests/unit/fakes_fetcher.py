"""The fetcher of documents before a store that serves by https, and a resolver that answers as it is told."""

import hashlib
import ipaddress
import socket

from aiohttp.abc import AbstractResolver

from tests.unit.fakes_core import Watcher
from tests.unit.fakes_tls import ca_file
from worker.clock import SystemClock
from worker.document_hosts import AllowedHost
from worker.documents import DocumentsConfig, HttpsDocuments
from worker.model import Reference

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
PDF = b"%PDF-1.7\n" + b"a page\n" * 30_000


class Names(AbstractResolver):
    """A resolver: one answer after the other for each name, the last one for ever; 127.0.0.1 for any other name."""

    def __init__(self, **answers):
        self.answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked = []

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append(host)
        answers = self.answers.get(host, [("127.0.0.1",)])
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(addresses, OSError):
            raise addresses
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for address in addresses
        ]

    async def close(self):
        pass


class Told(Watcher):
    def fetched(self, result, size, seconds):
        self.told.append((result, size))

    def spooled(self, size):
        self.told.append(("spooled", size))


def reference(url, content=PDF, *, media_type="application/pdf", **changes):
    digest = changes.get("sha256", hashlib.sha256(content).hexdigest())
    return Reference("a.pdf", media_type, url, digest, changes.get("size", len(content)))


class Desk:
    """A store, and the fetcher before it."""

    def __init__(self, store, directory):
        self.store, self.directory, self.told, self.names = store, directory, Told(), Names()
        self.config = {}
        self.hosts = [AllowedHost("localhost", store.port), AllowedHost("127.0.0.1", store.port)]

    async def fetch(self, wanted, *, networks=LOOPBACK):
        given = {"ca_file": ca_file(self.directory), "spool_dir": self.directory / "spool"} | self.config
        given["spool_dir"].mkdir(exist_ok=True)
        config = DocumentsConfig(hosts=tuple(self.hosts), networks=networks, **given)
        async with HttpsDocuments(config, SystemClock(), self.told, self.names) as documents:
            return await documents.fetch(wanted)

    async def get(self, path="/a", host="localhost", **more):
        return await self.fetch(reference(self.store.url(path, host), **more))


def held(document):
    content = document.read(0, document.size)
    document.close()
    return content
