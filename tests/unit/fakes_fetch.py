"""An event with two documents by reference, and a bench whose store has them."""

from tests.unit.fakes_core import make_event
from tests.unit.fakes_pipeline import Bench

A, B = "https://documents.test/a.pdf", "https://documents.test/b.pdf"
TWO = (("a.pdf", b"first"), ("b.pdf", b"second, longer"))
EVENT = make_event(references=TWO)
CONTENTS = {A: b"first", B: b"second, longer"}


async def bench(**options):
    made = await Bench(**options).ready()
    made.store = made.world.documents
    made.store.contents = CONTENTS
    return made


def let_go(store):
    return store.held == 0 and all(document.closed for document in store.given)
