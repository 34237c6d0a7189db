"""Where requests go, and what is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

JSON = "application/json"


class Signer(Protocol):
    """Signs a request of a service that wants to know who calls."""

    def headers(self, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return the headers that show who calls, good for at least a minute."""


@dataclass(frozen=True)
class Target:
    """A server under load: its URL, and the bodies of which each request is one."""

    url: str
    bodies: Sequence[bytes]
    content_type: str = JSON
    signer: Signer | None = None

    def headers(self, body: bytes) -> Mapping[str, str]:
        """Return a request's headers."""
        if self.signer is None:
            return {"Content-Type": self.content_type}
        return self.signer.headers(self.url, body, self.content_type)


def invocations(url: str) -> str:
    """Return where to post: the URL as it is, or /invocations of one without a path."""
    return url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/invocations"


def metrics(url: str) -> str:
    """Return where a container of ours would show its metrics."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/metrics"
