"""How the simulated Kravia behaves."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SimulatorSettings(BaseModel):
    """How it behaves when no fault says otherwise. Times in seconds. May be changed while it runs."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    token: str = "simulated-token"
    latency: float = Field(default=0.0, ge=0)
    """Between a request and its being carried out."""
    search_delay: float = Field(default=0.0, ge=0)
    search_jitter: float = Field(default=0.0, ge=0)
    """A search shows an invoice `search_delay` to `search_delay + search_jitter` after it was registered: reordered."""
    row_fields: tuple[str, ...] = ("creditorId", "claimType", "invoiceNo", "accountingInvoiceId")
    """Identity fields that a search row has."""
    id_form: Literal["number", "string", "id", "invoiceId", "claimId", "none"] = "id"
    """How register's answer tells the id."""
    on_duplicate: Literal["accept", "conflict"] = "accept"
    """What a second register of an identity does."""
    record: bool = False
    """Keep every request, byte for byte (`Simulator.recorded`)."""
