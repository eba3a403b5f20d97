"""This machine's clock: against the API's, and what the kernel knows of it.

Doubts lean on it twice: on Kravia's time when a search is to show what was registered since then, and on the other
workers' when one takes over what another wrote down. WORKER_CLOCK_ERROR bounds both. Brokers are not compared: none of
their answers holds their time without a record being written, and nothing of ours depends on it.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from worker.answers import NotSent
from worker.doctor.findings import Finding, fail, ok, warn
from worker.kravia.probe import Probed

_AREA: Final = "clock"
_MARGIN: Final = 300.0
"""Seconds that a sweep begins before the oldest intent, beyond the clock error (`worker.reconcile`)."""
_UNSYNCHRONISED: Final = 0x0040
"""STA_UNSYNC of `man 2 adjtimex`: no time service has told the kernel for a while that it sets the clock."""


def against_kravia(probed: Probed, clock_error: float) -> Iterator[Finding]:
    """Our clock against the API's Date header. `clock_error` in seconds."""
    if probed.ahead is None:
        if not isinstance(probed.answer, NotSent):
            remedy = "check by hand that a time service keeps this machine's clock"
            yield warn(_AREA, "against Kravia", "its answer has no Date header", remedy)
        return
    off, told = max(0.0, abs(probed.ahead) - probed.uncertain), f"{abs(probed.ahead):.1f} s"
    way = "ahead of" if probed.ahead > 0 else "behind"
    detail = f"this clock is {told} {way} Kravia's (to {probed.uncertain:.1f} s)"
    remedy = "let a time service keep this machine's clock, or raise WORKER_CLOCK_ERROR to what it promises"
    if off <= clock_error:
        yield ok(_AREA, "against Kravia", f"{detail}; WORKER_CLOCK_ERROR is {clock_error:g} s")
    elif off <= clock_error + _MARGIN:
        yield warn(_AREA, "against Kravia", f"{detail}, more than WORKER_CLOCK_ERROR ({clock_error:g} s)", remedy)
    else:
        yield fail(_AREA, "against Kravia", f"{detail}: a search could begin too late to show a doubt", remedy)


@dataclass(frozen=True, slots=True)
class Kernel:
    """What the kernel says of its clock. `bound`: seconds that it is off at the most, as its time service told."""

    synchronised: bool
    bound: float


def kernel_finding(kernel: Kernel | None, clock_error: float) -> Finding:
    """`kernel` None: it does not tell. `clock_error` in seconds."""
    what, setting = "the kernel's", f"WORKER_CLOCK_ERROR ({clock_error:g} s)"
    remedy = f"run a time service (chrony, systemd-timesyncd) on the host; what else sets its clock must keep {setting}"
    if kernel is None:
        return warn(_AREA, what, "it does not tell whether a time service keeps it", remedy)
    if not kernel.synchronised:
        return warn(_AREA, what, "no time service has told the kernel that it keeps this clock", remedy)
    if kernel.bound > clock_error:
        return warn(_AREA, what, f"it may be {kernel.bound:.1f} s off, more than {setting}", remedy)
    return ok(_AREA, what, f"a time service keeps it: at the most {kernel.bound:.3g} s off; {setting} covers that")


class _Timex(ctypes.Structure):
    """`struct timex` of Linux (`man 2 adjtimex`), as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


def ask_kernel() -> Kernel | None:
    """By adjtimex, which only reads here and needs no privilege. In a container: of the host's clock, which is used."""
    asked = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        return None
    if state < 0:  # for example a seccomp profile that forbids it
        return None
    return Kernel(synchronised=not asked.status & _UNSYNCHRONISED, bound=asked.maxerror / 1e6)
