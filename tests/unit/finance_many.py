"""Many outcomes, each made when it is read: what a statement of them takes is the statement's alone."""

from collections.abc import AsyncGenerator
from typing import Any

from tests.unit.fakes_core import TOPICS
from tests.unit.finance_world import NOON, Month
from worker.finance.writing import write_csv, write_json
from worker.model import Record
from worker.ports import Committed

_AT = int(NOON.timestamp() * 1000)


class _Many(Month):
    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    async def scan(self, topic: str, *_: object, **__: object) -> AsyncGenerator[Record, None]:
        for number in range(0 if topic == TOPICS.replays else self._count):
            identity, at = f"10759/Invoice/{number}", NOON.isoformat()
            call = (at, "registered", "b98994dfceb6b34b", number)
            value = "{}"
            if topic == TOPICS.outcomes:
                value = (
                    f'{{"version":1,"identity":"{identity}","outcome":"scheduled","invoiceId":"{100_000 + number}",'
                    f'"origin":{{"topic":"{TOPICS.requests}","partition":0,"offset":{number}}},"receivedAt":"{at}",'
                    f'"settledAt":"{at}","amount":"100.10","currency":"NOK","calls":[{{"at":"{at}",'
                    f'"answer":"registered","owner":"{call[2]}","intent":{number}}}]}}'
                )
            elif topic == TOPICS.ledger:
                value = (
                    f'{{"v":1,"state":"scheduled","settled":[{number},-1],"id":"{100_000 + number}","amount":"100.10",'
                    f'"currency":"NOK","calls":[["{at}","registered","{call[2]}",{number}]]}}'
                )
            yield Record(topic, 0, number, _AT, identity.encode(), value.encode())

    async def since(self, partitions: Any, moment: object) -> Any:
        return dict.fromkeys(partitions, (0, NOON))

    async def committed(self, group: str, partitions: Any) -> Any:
        return dict.fromkeys(partitions, Committed(self._count))


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)


def made_of(count: int) -> tuple[int, str]:
    """Make the statement of so many invoices and write it; what is unexplained, and their sum."""

    def check(made: Any) -> tuple[int, str]:
        write_csv(made, _Nowhere())  # type: ignore[arg-type]
        write_json(made, _Nowhere())  # type: ignore[arg-type]
        return made.unexplained_count, f"{made.totals['10759', 'NOK', 'scheduled'].amount}"

    found: tuple[int, str] = _Many(count).statement(check, search=False)
    return found
