"""A TCP proxy in front of a local server: delays, refuses, resets or cuts connections, or answers 503."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

CHUNK_BYTES = 65_536
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Behavior:
    """How the proxy treats connections, including open ones."""

    delay_seconds: float = 0.0
    """Delay before each chunk is passed on, in either direction."""
    cut_after_bytes: int | None = None
    """Bytes to the server after which a connection is reset."""
    is_unavailable: bool = False
    """Whether HTTP requests are answered with 503."""
    refuses: bool = False
    """Whether new connections are reset."""


class Proxy:
    """Passes connections on to a port of this machine; `behavior` may be changed at any time."""

    def __init__(self, target_port: int) -> None:
        self.behavior = Behavior()
        self.port = 0
        self.disturbed = 0
        """Number of connections that were cut, refused or answered with 503."""
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._do(self._listen())

    def reset_all(self) -> None:
        """Reset every open connection."""
        self._do(self._reset_all())

    def close(self) -> None:
        """Reset every connection and stop listening."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        await self._reset_all()

    async def _reset_all(self) -> None:
        for writer in list(self._writers):
            self._reset(writer)

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self.behavior.refuses:
            self.disturbed += 1
            self._reset(to_client)
            return
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            self._reset(to_client)
            return
        self._writers |= {to_client, to_server}
        await asyncio.gather(
            self._towards_server(from_client, to_server, to_client),
            self._towards_client(from_server, to_client),
        )
        for writer in (to_client, to_server):
            self._writers.discard(writer)
            writer.close()

    async def _towards_server(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        passed_bytes = 0
        async for chunk in self._chunks(reader):
            passed_bytes += len(chunk)
            limit = self.behavior.cut_after_bytes
            if limit is not None and passed_bytes > limit:
                self.disturbed += 1
                self._reset(writer)
                self._reset(back)
                return
            if self.behavior.is_unavailable:
                self.disturbed += 1
                back.write(UNAVAILABLE)
                back.close()
                break
            writer.write(chunk)
        writer.close()

    async def _towards_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for chunk in self._chunks(reader):
            if not writer.is_closing():
                writer.write(chunk)
        writer.close()

    async def _chunks(self, reader: asyncio.StreamReader):
        """Yield each chunk after the delay; ends with the connection, even if that is reset."""
        while True:
            try:
                chunk = await reader.read(CHUNK_BYTES)
            except OSError:
                return
            if not chunk:
                return
            if self.behavior.delay_seconds:
                await asyncio.sleep(self.behavior.delay_seconds)
            yield chunk

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        connection = writer.get_extra_info("socket")
        if connection is not None and not writer.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Run a proxy in front of `port`."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
