"""Space for documents, and the files that they are in."""

import asyncio
import contextlib
import hashlib
import os

import pytest

from tests.unit.fakes_time import settle_down, virtual
from worker.documents.spool import Space, SpoolFile


class Bench:
    """A space of 100 bytes; `got`: who has space, in the order in which it was given."""

    def __init__(self):
        self.told, self.got, self.shares = [], [], {}
        self.space = Space(100, self.told.append)

    async def _take(self, name, size):
        self.shares[name] = await self.space.take(size)
        self.got.append(name)

    async def take(self, name, size):
        task = asyncio.create_task(self._take(name, size))
        await settle_down()
        return task


class TestSpace:
    @virtual
    async def test_it_is_bounded_and_first_come_first_served(self):
        bench = Bench()
        for name, size in (("a", 60), ("b", 60), ("c", 10)):
            await bench.take(name, size)
        assert bench.got == ["a"], "c would fit, but b would wait for ever while small ones pass it"
        bench.shares["a"].close()
        await settle_down()
        assert bench.got == ["a", "b", "c"]
        bench.shares["a"].close()
        for name in "bc":
            bench.shares[name].close()
        assert bench.told == [60, 0, 60, 70, 10, 0], "closing twice gives nothing back twice"

    @virtual
    async def test_who_needs_more_than_there_is_goes_alone(self):
        bench = Bench()
        await bench.take("small", 1)
        await bench.take("huge", 1000)
        await bench.take("next", 1)
        assert bench.got == ["small"]
        bench.shares["small"].close()
        await settle_down()
        assert bench.got == ["small", "huge"]
        bench.shares["huge"].close()
        await settle_down()
        assert bench.got == ["small", "huge", "next"]

    @virtual
    async def test_who_is_cut_off_while_waiting_holds_up_nobody(self):
        bench = Bench()
        await bench.take("a", 90)
        waiting = [await bench.take("b", 50), await bench.take("c", 50)]
        await bench.take("d", 10)
        for task in waiting:
            task.cancel()
        bench.shares["a"].close()  # in the same moment, before they have run
        await settle_down()
        assert all(task.cancelled() for task in waiting)
        assert bench.got == ["a", "d"]
        bench.shares["d"].close()
        assert bench.told[-1] == 0

    @virtual
    async def test_who_is_cut_off_in_the_moment_of_getting_it_gives_it_back(self):
        bench = Bench()
        await bench.take("a", 90)
        late = await bench.take("b", 90)
        bench.shares["a"].close()
        late.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await late
        assert bench.told[-1] == 0


CONTENT = os.urandom(700_000)


async def spooled(directory, content=CONTENT):
    file = SpoolFile(directory)
    for start in range(0, len(content), 65_536):
        await file.append(content[start : start + 65_536])
    await file.whole()
    return file


class TestFiles:
    async def test_what_was_written_is_read_as_often_as_wanted(self, tmp_path):
        file = await spooled(tmp_path)
        assert (file.size, file.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
        for _ in range(2):
            assert file.read(0, file.size) == CONTENT
            assert file.read(300_000, 10) == CONTENT[300_000:300_010]
        with pytest.raises(OSError, match="shorter"):
            file.read(file.size - 1, 2)
        file.close()
        file.close()
        with pytest.raises(ValueError, match="closed"):
            file.read(0, 1)

    async def test_no_name_is_left_in_the_directory_not_even_while_it_is_open(self, tmp_path):
        file = await spooled(tmp_path)
        assert list(tmp_path.iterdir()) == []
        file.close()

    async def test_closed_under_a_write_it_waits_for_the_write(self, tmp_path):
        """The descriptor must not be another file's while a thread still writes to it."""
        file = SpoolFile(tmp_path)
        real, going, go = file._write, asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(block):
            loop.call_soon_threadsafe(going.set)
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
            real(block)

        file._write = slow
        writing = asyncio.create_task(file.append(bytes(300_000)))
        await going.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        file.close()
        assert not file._file.closed
        go.set()
        await asyncio.wait([file._writing])
        await settle_down()
        assert file._file.closed

    async def test_a_directory_that_is_not_there_is_an_error_of_the_system(self, tmp_path):
        with pytest.raises(OSError, match="No such file"):
            SpoolFile(tmp_path / "none")
