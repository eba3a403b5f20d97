"""Calls of the simulated Kravia, and its guide's example."""

import json

import aiohttp

TOKEN = {"Authorization": "simulated-token"}
JSON = TOKEN | {"Content-Type": "application/json"}
GUIDE = {
    "claimType": "Invoice",
    "creditorId": 10759,
    "accountingInvoiceId": None,
    "debtorName": "John Doe",
    "debtorNumber": "10001",
    "email": "john@example.com",
    "ssn": None,
    "organizationNumber": None,
    "isPrivateIndividual": "true",
    "postalAddress": {
        "addressAddressLine1": "Karl Johan Gate",
        "addressPostalCode": "1000",
        "addressCity": "Oslo",
        "addressCountryCode": "NO",
    },
    "invoiceNo": "20001",
    "invoiceDate": "2025-04-01",
    "dueDate": "2026-01-01",
    "originalAmount": 2500,
    "currencyCode": "NOK",
    "description": "…",
    "orderLines": [
        {
            "description": "Service A",
            "unitPrice": 125,
            "count": 10,
            "vatInPercent": 25,
            "unit": "g",
            "total": 1250,
            "discountInPercent": 0,
        }
    ],
}
IDENTITY = "10759/Invoice/20001"


class Now:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


async def register(http: aiohttp.ClientSession, **changed: object) -> tuple[int, object]:
    body = json.dumps(GUIDE | changed).encode()
    async with http.post("/api/v2/invoice/register", data=body, headers=JSON) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def control(http: aiohttp.ClientSession, name: str, value: object = None) -> dict[str, object]:
    """GET without a value, else POST."""
    if value is None:
        async with http.get(f"/_sim/{name}") as answer:
            return {"status": answer.status, **await answer.json()}
    async with http.post(f"/_sim/{name}", json=value) as answer:
        return {"status": answer.status, **await answer.json()}
