"""A real server on loopback that stalls, fails or leaves on purpose."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

METRICS = b"# HELP process_resident_memory_bytes x\nprocess_resident_memory_bytes 5.0e+07\n"


class Server(ThreadingHTTPServer):
    """Answers POST with `status` after `seconds_each`; nothing before `stalled_until`."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.stalled_until = 0.0
        self.stalls = (0, 0.0)
        self.leaves = False
        self.metrics: bytes | None = None
        self.seen: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stall(self, seconds: float, after: int) -> None:
        """Answer nothing for so long, once so many requests have come."""
        self.stalls = (after, seconds)

    def handle_error(self, *_: object) -> None:
        """Say nothing when a client hangs up: it may."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        after, seconds = self.server.stalls
        if seconds and len(self.server.seen) >= after:
            self.server.stalls = (0, 0.0)
            self.server.stalled_until = time.monotonic() + seconds
        time.sleep(max(0.0, self.server.stalled_until - time.monotonic()))
        if self.server.leaves:
            self.close_connection = True
            return
        self._answer(self.server.status, b"{}")

    def do_GET(self) -> None:
        known = self.server.metrics if self.path == "/metrics" else None
        self._answer(404 if known is None else 200, known or b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    """Serve while the context lasts."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
