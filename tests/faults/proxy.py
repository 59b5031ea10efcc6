"""A TCP proxy on loopback in front of a server: it delays, refuses, resets, cuts connections after some bytes, or answers 503."""

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
class Manner:
    """How the proxy treats connections, the open ones too."""

    delay_seconds: float = 0.0
    """Before each piece of data goes on, in either direction."""
    cut_after_bytes: int | None = None
    """Of a connection's data towards the server; then it is reset."""
    is_unavailable: bool = False
    """Whether requests of HTTP are answered with 503."""
    refuses: bool = False
    """Whether new connections are reset."""


class Proxy:
    """Passes connections on to a port of this machine; `manner` may be changed at any time."""

    def __init__(self, target_port: int) -> None:
        self.manner = Manner()
        self.port = 0
        self.disturbed = 0
        """Connections that were cut, refused or answered with 503."""
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
        """Reset every connection and listen no more."""
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
        if self.manner.refuses:
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
        passed = 0
        async for piece in self._pieces(reader):
            passed += len(piece)
            limit = self.manner.cut_after_bytes
            if limit is not None and passed > limit:
                self.disturbed += 1
                self._reset(writer)
                self._reset(back)
                return
            if self.manner.is_unavailable:
                self.disturbed += 1
                back.write(UNAVAILABLE)
                back.close()
                break
            writer.write(piece)
        writer.close()

    async def _towards_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for piece in self._pieces(reader):
            if not writer.is_closing():
                writer.write(piece)
        writer.close()

    async def _pieces(self, reader: asyncio.StreamReader):
        """What comes, each piece after the delay; ends with the connection, also where it is reset."""
        while True:
            try:
                piece = await reader.read(CHUNK_BYTES)
            except OSError:
                return
            if not piece:
                return
            if self.manner.delay_seconds:
                await asyncio.sleep(self.manner.delay_seconds)
            yield piece

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        connection = writer.get_extra_info("socket")
        if connection is not None and not writer.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy in front of `port`."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
