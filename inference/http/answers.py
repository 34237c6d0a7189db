"""What the server says by itself: its date, and refusals that no application sees."""

import json
import time
from email.utils import formatdate
from http import HTTPStatus


def date() -> tuple[bytes, bytes]:
    """Give the Date header of this second (RFC 9110, 6.6.1)."""
    return b"date", formatdate(time.time(), usegmt=True).encode()


def refusal(status: int, problem: str, headers: bytes) -> bytes:
    """Write a whole answer that ends its connection; `headers` are lines with their ends."""
    body = json.dumps({"errors": [{"field": "", "problem": problem}]}).encode()
    phrase = HTTPStatus(status).phrase
    head = (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n"
    )
    return head.encode() + headers + b"\r\n" + body
