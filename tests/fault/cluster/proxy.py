"""A TCP proxy that delays what passes, and cuts connections."""

import asyncio
import contextlib
import threading
from random import Random


class Proxy:
    """Passes connections on to another address, at once unless told otherwise; a thread of its own.

    Args:
        listen: Where it listens; the port is chosen.
        target: Where it passes connections on to.
        random: Decides how long each piece waits, and which connections are cut.

    Attributes:
        port: Where it listens.
        delay: Each piece waits up to so many seconds.
        cuts: The share of pieces at which the connection is cut instead.
    """

    def __init__(self, listen: str, target: tuple[str, int], random: Random) -> None:
        self._target = target
        self._random = random
        self.delay = 0.0
        self.cuts = 0.0
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        made = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, listen, 0), self._loop)
        self.port: int = made.result().sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        ways = [asyncio.create_task(self._pass(reader, back)), asyncio.create_task(self._pass(there, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, back):
            end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65536):
                if self.delay:
                    await asyncio.sleep(self._random.uniform(0, self.delay))
                    if self._random.random() < self.cuts:
                        return
                sink.write(piece)
                await sink.drain()
