"""What the doctor says of this machine's clock."""

import pytest

from worker.answers import Done, NotSent
from worker.doctor.clocks import Kernel, against_kravia, ask_kernel, kernel_finding
from worker.doctor.findings import Level
from worker.kravia.probe import Probed


@pytest.mark.parametrize(
    ("ahead", "level"),
    [(0.4, Level.OK), (-5.4, Level.OK), (7.0, Level.WARN), (-200.0, Level.WARN), (400.0, Level.FAIL)],
)
def test_against_kravia(ahead: float, level: Level):
    [finding] = against_kravia(Probed(Done(), ahead, 0.5), 5.0)
    assert finding.level is level
    assert ("ahead of" if ahead > 0 else "behind") in finding.detail
    assert level is Level.OK or "WORKER_CLOCK_ERROR" in finding.remedy


def test_a_clock_that_can_not_be_compared():
    [finding] = against_kravia(Probed(Done()), 5.0)
    assert finding.level is Level.WARN
    assert list(against_kravia(Probed(NotSent("connect")), 5.0)) == []


@pytest.mark.parametrize(
    ("kernel", "level", "says"),
    [
        (Kernel(True, 0.012), Level.OK, "at the most 0.012 s off; WORKER_CLOCK_ERROR (5 s) covers that"),
        (Kernel(True, 7.5), Level.WARN, "it may be 7.5 s off, more than WORKER_CLOCK_ERROR (5 s)"),
        (Kernel(False, 16.0), Level.WARN, "no time service has told the kernel that it keeps this clock"),
        (None, Level.WARN, "it does not tell whether a time service keeps it"),
    ],
)
def test_the_kernels_word(kernel: Kernel | None, level: Level, says: str):
    finding = kernel_finding(kernel, 5.0)
    assert (finding.level, finding.detail.endswith(says)) == (level, True)
    assert bool(finding.remedy) == (level is not Level.OK)


def test_this_kernel_is_asked_without_any_right():
    told = ask_kernel()
    # Linux caps its bound at 16 s (NTP_PHASE_LIMIT) and says so of a clock that nobody keeps.
    assert told is None or 0 <= told.bound <= 16.0
