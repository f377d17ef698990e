"""A relay in front of a real server that can be cut: the server as a client sees it when it dies in the middle."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path
from urllib.parse import urlsplit


class Relay:
    """Forwards one port, also from TLS to plain, until so many bytes have come back; from then on nothing answers."""

    def __init__(self, url: str, cut_after: int | None = None, certificate: tuple[Path, Path] | None = None) -> None:
        parts = urlsplit(url)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._left = cut_after
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls: ssl.SSLContext | None = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                client = self._tls.wrap_socket(client, server_side=True) if self._tls else client
            except OSError:
                client.close()  # the client does not trust us
                continue
            try:
                server = socket.create_connection(self._target)
            except OSError:
                return
            self._sockets += [client, server]
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while data := source.recv(16_384):
                if counted and not self._may_pass(len(data)):
                    break
                target.sendall(data)
        except OSError:
            pass  # the other side is gone; so is this one
        for one in (source, target):
            with contextlib.suppress(OSError):  # closed already
                one.shutdown(socket.SHUT_RDWR)

    def _may_pass(self, size: int) -> bool:
        with self._lock:
            if self._left is None:
                return True
            self._left -= size
            if self._left > 0:
                return True
        self._listener.close()
        return False
