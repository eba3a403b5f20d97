"""The reconciler: finds out what became of doubtful registers, by sweeping Kravia's search.

One sweep serves all doubts that are ripe. Found is adopted. *Not found* counts only with a witness, which makes the
delay of the search a measurement: the sweep shows an invoice whose register we sent after the doubt's deadline, and
sweeps that together span more than the search's disorder agree. See docs/explanation/never-twice.md.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from worker.doubt import Adopted, CertainlyNot, Doubt, DoubtPolicy, GivenUp, Resolution
from worker.gate import Gate, GateState
from worker.matching import Identity, Match, Row, compare, folded, read_row
from worker.ports import Clock, Details, KraviaQueries, Observer
from worker.sweep import SweepPolicy, sweep

log = structlog.get_logger(__name__)

_WITNESSES = 20_000
_LOOKUPS = 200
"""`/details` look-ups of one sweep at the most."""
_MARGIN = 300.0
"""Seconds that a sweep begins before the oldest intent, beyond the clock error: costs rows, saves doubts."""


@dataclass(slots=True)
class _Case:
    """A doubt under reconciliation. `witnessed`: when the first sweep with a witness had ended.

    It is given up when the gate has been open for `patience` seconds since `opened` (the gate's open time): an outage
    counts for no bound.
    """

    doubt: Doubt
    answer: asyncio.Future[Resolution]
    opened: float
    patience: float
    witnessed: float | None = None
    swept: bool = False
    """A sweep has looked for it: a process that stood still for its whole patience gives up nothing unseen."""
    last: str = "no_witness"
    """Why the latest sweep said nothing."""


@dataclass(slots=True)
class _Findings:
    """What one sweep showed of one doubt: ids of rows by how well they match."""

    same: list[str] = field(default_factory=list)
    ask: list[tuple[str, ...]] = field(default_factory=list)
    """Each row's ids: it says too little, or several ids."""


class Reconciler:
    """Serves every partition of the process: a witness of any of them is a witness for all."""

    def __init__(
        self,
        api: KraviaQueries,
        gate: Gate,
        policy: DoubtPolicy,
        sweeping: SweepPolicy,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self.policy = policy
        self._api = api
        self._gate = gate
        self._sweeping = sweeping
        self._clock = clock
        self._observer = observer
        self._cases: list[_Case] = []
        self._sent: OrderedDict[str, tuple[float, Identity]] = OrderedDict()
        self._told: OrderedDict[str, Details] = OrderedDict()
        self._new = asyncio.Event()

    # What the pipeline says and asks

    def registered(self, invoice_id: str, identity: Identity, sent: float) -> None:
        """We registered this invoice; its register was sent at `sent` or later (CLOCK_BOOTTIME): a witness."""
        self._sent[invoice_id] = sent, identity
        while len(self._sent) > _WITNESSES:
            self._sent.popitem(last=False)

    async def resolve(self, doubt: Doubt) -> Resolution:
        """Wait until it is known what became of a doubtful register, or nobody can tell."""
        patience = doubt.expires - self._clock.boottime()
        case = _Case(doubt, asyncio.get_running_loop().create_future(), self._gate.open_time(), patience)
        self._cases.append(case)
        self._new.set()
        try:
            resolution = await case.answer
        finally:
            self._cases.remove(case)
        kind = resolution.why if isinstance(resolution, GivenUp) else type(resolution).__name__.lower()
        self._observer.resolved(kind)
        wanted = doubt.wanted
        identity = f"{wanted.creditor_id}/{wanted.claim_type}/{wanted.invoice_no}"
        log.info("doubt_resolved", identity=identity, intent=doubt.intent, resolution=kind)
        return resolution

    def doubts(self) -> list[Doubt]:
        """What is being reconciled now."""
        return [case.doubt for case in self._cases]

    # Sweeping

    async def run(self) -> None:
        """Sweep whenever a doubt is ripe. Runs until it is cancelled."""
        while True:
            self._new.clear()
            now = self._clock.boottime()
            self._give_up()
            ripe = [case for case in self._cases if case.doubt.ripe < now]
            if not ripe or self._gate.state is GateState.CLOSED:
                await self._pause(now)
                continue
            await self._sweep(ripe)
            await asyncio.sleep(self.policy.sweep_interval)

    async def _pause(self, now: float) -> None:
        """Until the next doubt is ripe, or one comes."""
        waits = [case.doubt.ripe - now for case in self._cases if case.doubt.ripe >= now]
        longest = min([*waits, self.policy.sweep_interval if self._cases else 3600.0])
        try:
            async with asyncio.timeout(max(longest, 0.01)):
                await self._new.wait()
        except TimeoutError:
            return

    def _give_up(self) -> None:
        open_time = self._gate.open_time()
        for case in self._cases:
            if case.swept and open_time - case.opened > case.patience:
                self._answer(case, GivenUp(case.last))

    async def _sweep(self, cases: list[_Case]) -> None:
        findings = [_Findings() for _ in cases]
        witnesses: list[float] = []
        # Thousands of rows meet hundreds of doubts after a crash: most are told apart by their number alone.
        pairs = list(zip(cases, findings, strict=True))
        by_number: dict[str, list[tuple[_Case, _Findings]]] = {}
        for pair in pairs:
            by_number.setdefault(folded(pair[0].doubt.wanted.invoice_no or ""), []).append(pair)
        began = self._clock.boottime()

        def visit(row: Row, _raw: Mapping[str, object]) -> bool:
            known = [id_ for id_ in row.ids if id_ in self._sent]
            ours = [self._sent[id_] for id_ in known]
            witnesses.extend(sent for sent, _ in ours)
            # Of our own registers we know what they are, whatever the row says; one of them may be what is in doubt:
            # its answer came, and could not be journaled.
            identity, ids = (ours[0][1], tuple(known)) if ours else (row.identity, row.ids)
            number = identity.invoice_no
            for case, found in pairs if number is None else by_number.get(folded(number), ()):
                match compare(identity, case.doubt.wanted):
                    case Match.SAME if len(ids) == 1:
                        found.same.append(ids[0])
                    case Match.SAME | Match.LIKELY | Match.UNSURE:
                        found.ask.append(ids)
                    case Match.OTHER:
                        pass
            return any(sent > began for sent, _ in ours)

        oldest = min(case.doubt.since for case in cases) - timedelta(seconds=self.policy.clock_error + _MARGIN)
        swept = await sweep(self._api, oldest, visit, self._sweeping)
        ended = self._clock.boottime()
        for case in cases:
            case.swept = True
        self._observer.swept(swept.problem or "complete", swept.rows, ended - began)
        if not swept.complete:
            log.warning("sweep_incomplete", problem=swept.problem, rows=swept.rows)
            for case in cases:
                case.last = "unreadable"
            return
        lookups = _LOOKUPS
        for case, found in pairs:
            await asyncio.sleep(0)  # the worker's heartbeat must not wait for hundreds of them
            if case.answer.done():
                continue
            lookups, asked = await self._ask(case.doubt, found, lookups)
            self._conclude(case, found, asked, witnesses, began, ended)

    async def _ask(self, doubt: Doubt, found: _Findings, lookups: int) -> tuple[int, bool]:
        """Let `/details` decide about rows that say too little; whether all of them could be decided."""
        decided = True
        found.same = list(dict.fromkeys(found.same))
        if len(found.same) > 1:
            found.ask += [(id_,) for id_ in found.same]
            found.same.clear()
        for ids in dict.fromkeys(found.ask):
            told: list[Match] = []
            for id_ in ids:
                details = self._told.get(id_)
                if details is None and lookups > 0:
                    lookups -= 1
                    details = await self._look_up(id_)
                told.append(Match.UNSURE if details is None else compare(read_row(details.raw).identity, doubt.wanted))
            same = [id_ for id_, match in zip(ids, told, strict=True) if match is Match.SAME]
            found.same += [id_ for id_ in same if id_ not in found.same]
            decided &= bool(same) or (bool(told) and all(match is Match.OTHER for match in told))
        return lookups, decided

    async def _look_up(self, invoice_id: str) -> Details | None:
        """What `/details` tells, kept: an invoice's identity does not change. None when it can't be read."""
        answer = await self._api.details(invoice_id)
        if not isinstance(answer, Details):
            return None
        self._told[invoice_id] = answer
        while len(self._told) > _WITNESSES:
            self._told.popitem(last=False)
        return answer

    def _conclude(
        self, case: _Case, found: _Findings, decided: bool, witnesses: list[float], began: float, ended: float
    ) -> None:
        """What one complete sweep says of a doubt; nothing, mostly."""
        if len(found.same) == 1:
            self._answer(case, Adopted(found.same[0]))
        elif found.same:
            # Several invoices of this identity are there: a person looks.
            self._answer(case, GivenUp("ambiguous"))
        elif not decided:
            case.witnessed, case.last = None, "no_identity"
        elif case.witnessed is None:
            case.last = "no_witness"
            if any(sent > case.doubt.deadline for sent in witnesses):
                case.witnessed = ended
        elif began > case.witnessed + self.policy.disorder:
            self._answer(case, GivenUp("quarantined") if self.policy.quarantine else CertainlyNot())

    @staticmethod
    def _answer(case: _Case, resolution: Resolution) -> None:
        if not case.answer.done():
            case.answer.set_result(resolution)
