"""The owner of a partition: fencing, restore, journal, ledger, group commit, trim."""

from worker.ownership.config import OwnershipConfig
from worker.ownership.ownership import Ownership
from worker.ownership.takeover import take_over

__all__ = ["Ownership", "OwnershipConfig", "take_over"]
