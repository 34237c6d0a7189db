"""A client that asks without pause, and notices when a request is lost."""

import http.client
import socket
import threading

MANY = 20
CONNECT_SECONDS = 0.2
"""Less than the second after which a client tries again whose first segment was dropped."""


class Client(threading.Thread):
    """
    Asks until no connection is accepted any more; `lost` says what became of an unanswered request.

    A refused connection is no loss: nothing was sent.
    """

    def __init__(self, port: int, keeps: bool, body: bytes = b"{}") -> None:
        super().__init__()
        self._port = port
        self._headers = {"Content-Type": "application/json"}
        if not keeps:
            self._headers["Connection"] = "close"
        self._body = body
        self.sent = self.answered = 0
        self.lost: Exception | None = None
        self.is_busy = threading.Event()

    def run(self) -> None:
        """Ask."""
        while self.lost is None:
            try:
                line = socket.create_connection(("127.0.0.1", self._port), CONNECT_SECONDS)
            except (ConnectionRefusedError, TimeoutError):
                return
            line.settimeout(10)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as http.client does
            connection = http.client.HTTPConnection("127.0.0.1", self._port)
            connection.sock = line
            try:
                self._ask(connection)
            except (OSError, http.client.HTTPException) as error:
                self.lost = error
            finally:
                connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        # http.client lets go of the socket when an answer is the connection's last.
        while connection.sock is not None:
            self.sent += 1
            connection.request("POST", "/invocations", self._body, self._headers)
            connection.getresponse().read()
            self.answered += 1
            if self.answered > MANY:
                self.is_busy.set()
