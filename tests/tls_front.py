"""A TLS proxy on loopback for a server without TLS, for Postgres and HTTP."""

import asyncio
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""A Postgres client's first message (https://www.postgresql.org/docs/18/protocol-message-formats.html)."""


class TlsFront:
    """Counts TLS connections, and connections rejected because they did not use TLS."""

    def __init__(self, target_port: int, certificate: Path, *, for_postgres: bool) -> None:
        self.port = 0
        self.encrypted = 0
        self.refused = 0
        self._target_port = target_port
        self._for_postgres = for_postgres
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=30)

    def close(self) -> None:
        """Stop listening and close all connections."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        open_tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in open_tasks:
            task.cancel()
        await asyncio.gather(*open_tasks, return_exceptions=True)
        self._server.close()
        await asyncio.sleep(0.1)  # until the connections are closed

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=None if self._for_postgres else self._context
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._for_postgres:
            if await reader.read(len(SSL_REQUEST)) != SSL_REQUEST:
                self.refused += 1
                writer.close()
                return
            writer.write(b"S")
            try:
                await writer.start_tls(self._context)
            except (OSError, ssl.SSLError):
                writer.close()
                return
        self.encrypted += 1
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        await asyncio.gather(
            self._pump(reader, server_writer), self._pump(server_reader, writer), return_exceptions=True
        )

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@contextmanager
def tls_front(target_port: int, certificate: Path, *, for_postgres: bool = False) -> Iterator[TlsFront]:
    """Yield a running proxy; `certificate` is a PEM file with the private key."""
    front = TlsFront(target_port, certificate, for_postgres=for_postgres)
    try:
        yield front
    finally:
        front.close()
