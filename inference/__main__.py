"""
Serve one model directory: `python -m inference --model DIR --port P`.

Ends with 0 after SIGTERM, once the requests in progress are answered, and with 2 when the model
cannot be served or the port is taken.
"""

import argparse
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import uvicorn

from inference.model import Model, UnusableError, load
from inference.server import create_app

DRAIN_SECONDS = 20
"""SageMaker kills the container 30 seconds after SIGTERM (developer guide, custom hosting code)."""
KEEP_ALIVE_SECONDS = 75
"""Longer than a proxy in front keeps idle connections: whoever closes first loses no request."""


def main() -> None:
    """Load, then listen, then serve until SIGTERM or an interrupt."""
    given = _arguments()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has drained: that is a success, not a kill.
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        model = load(given.model)
    except UnusableError as error:
        _refuse("cannot serve this model:\n" + "\n".join(f"- {line}" for line in error.problems))
    try:
        listener = socket.create_server((given.host, given.port))
    except OSError as error:
        _refuse(
            f"cannot listen on {given.host} port {given.port}: {error.strerror}; "
            "end the process that has it, or choose another with --port"
        )
    serve(model, listener)


def serve(model: Model, listener: socket.socket) -> None:
    """Serve on a listening socket; returns, or ends the process, when SIGTERM has been obeyed."""
    host, port = listener.getsockname()[:2]
    print(f"{model.name} {model.version} answers on {host} port {port}", file=sys.stderr)
    config = uvicorn.Config(
        create_app(model),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="inference", description="serve one model directory")
    # SageMaker starts every container with this word.
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve")
    parser.add_argument("--model", type=Path, default=Path("/opt/ml/model"), help="model directory")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on")
    return parser.parse_args()


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
