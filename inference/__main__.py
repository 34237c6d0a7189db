"""
Serve one model directory, or print its OpenAPI document: `python -m inference --model DIR`.

Ends with 0 after SIGTERM, once every request that was sent is answered; with 1 if some were still
under way after the drain time; with 2 when it cannot start.
"""

import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from inference import settings
from inference.http.listener import Listener
from inference.http.supervisor import READY, UNUSABLE, Supervisor
from inference.settings import CannotStart, Settings

if TYPE_CHECKING:
    from inference.counting.registry import Registry

# What is heavy, or has threads, is imported in the functions: the workers are forked before.


def main() -> NoReturn:
    """Do what the arguments and the environment say."""
    try:
        command, given = settings.read(sys.argv[1:], os.environ)
        sys.exit(print_document(given) if command == "openapi" else serve(given))
    except CannotStart as refusal:
        sys.exit(_said(refusal.problems))


def serve(given: Settings) -> int:
    """Serve until SIGTERM, in this process or in several; returns the exit code."""
    listener = Listener(given.host, given.port, given.workers)
    work = partial(_work, given, listener, _registry(given))
    if given.workers == 1:
        return work(0)
    return Supervisor(work, given.workers, given.drain_seconds, listener.close).run()


def print_document(given: Settings) -> int:
    """Print the OpenAPI document of the model; returns the exit code."""
    from inference.contract.manifest import read_manifest
    from inference.contract.openapi import document

    problems: list[str] = []
    manifest = read_manifest(given.model / "manifest.json", problems)
    if manifest is None:
        raise CannotStart(problems)
    print(json.dumps(document(manifest), indent=2))
    return 0


def _registry(given: Settings) -> "Registry":
    """Make the memory of the counters, which all workers share and the dead leave to the next."""
    from inference.contract.manifest import read_manifest
    from inference.counting.layout import Layout
    from inference.counting.registry import Registry

    # What is wrong with the manifest is said by the first worker, with all else that is wrong.
    manifest = read_manifest(given.model / "manifest.json", [])
    size = 0 if manifest is None else Layout.of(manifest).size
    return Registry(size, given.workers)


def _work(given: Settings, listener: Listener, registry: "Registry", slot: int) -> int:
    from inference.http.server import make_app
    from inference.http.worker import work
    from inference.scoring.model import UnusableError

    def ready(title: str) -> None:
        if slot == 0:
            print(f"{title} answers on {given.host} port {listener.port}", file=sys.stderr)
        if given.workers > 1:
            os.kill(os.getppid(), READY)

    try:
        return work(lambda: make_app(given, registry, slot), listener, given, ready, slot)
    except UnusableError as error:
        return _said(error.problems)
    except CannotStart as refusal:
        return _said(refusal.problems)


def _said(problems: Sequence[str]) -> int:
    for problem in problems:
        print(f"cannot start: {problem}", file=sys.stderr)
    return UNUSABLE


if __name__ == "__main__":
    main()
