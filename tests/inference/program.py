"""
Serve an application that needs no model, as a process: `program SETTINGS [FAULT]`.

SETTINGS is JSON. It prints its port, then a line for each worker that is ready, and for what the
application does.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from inference.http import supervisor
from inference.http.listener import Listener
from inference.settings import CannotStart, Settings

ROOT = Path(__file__).resolve().parents[2]
SLOW_SECONDS = 0.4
LOAD_SECONDS = 0.3


class App:
    """Answers with the process's id; some paths do more."""

    title = "sample 1"

    def __init__(self):
        self.draining = False

    async def __call__(self, scope, receive, send):
        message = await receive()
        while message["type"] == "http.request" and message["more_body"]:
            message = await receive()
        if scope["path"] == "/slow":
            say("working")
            await asyncio.sleep(SLOW_SECONDS)
            say("worked")
        if scope["path"] == "/wedge":
            say("wedged")
            time.sleep(60)
        body = b"%d" % os.getpid()
        head = {"type": "http.response.start", "status": 503 if self.draining else 200}
        await send({**head, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    def refused(self, status, problem):
        pass

    async def close(self):
        say("closed")


def say(word):
    print(word, os.getpid(), flush=True)


def load(fault):
    say("loading")
    if fault == "refuses":
        raise CannotStart(["there is no model"])
    if fault == "crashes":
        os._exit(3)
    if fault == "is slow":
        time.sleep(LOAD_SECONDS)
    return App()


def work(settings, listener, fault, slot):
    from inference.http.worker import work

    def ready(title):
        say("ready")
        if settings.workers > 1:
            os.kill(os.getppid(), supervisor.READY)

    try:
        return work(partial(load, fault), listener, settings, ready, slot)
    except CannotStart as refusal:
        print(*refusal.problems, file=sys.stderr)
        return supervisor.UNUSABLE


def main(settings, fault):
    supervisor.SPARE_SECONDS = 0.2
    listener = Listener("127.0.0.1", 0, settings.workers)
    print("port", listener.port, flush=True)
    job = partial(work, settings, listener, fault)
    if settings.workers == 1:
        return job(0)
    return supervisor.Supervisor(
        job, settings.workers, settings.drain_seconds, listener.close
    ).run()


@dataclass
class Program:
    """The running process."""

    process: subprocess.Popen
    port: int

    def heard(self, word):
        """Wait until it says a word; give the id of the process that did."""
        for line in self.process.stdout:
            said, number = line.split()
            if said == word:
                return int(number)
        raise AssertionError(f"it ended without saying {word!r}: {self.process.stderr.read()}")

    def end(self, number=signal.SIGTERM):
        """Send a signal; give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=10)


@contextmanager
def running(fault="", **settings) -> Iterator[Program]:
    """Start the program, and end it hard at last."""
    words = [sys.executable, "-m", "tests.inference.program", json.dumps(settings), fault]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Program(process, int(process.stdout.readline().split()[1]))
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(main(Settings(**json.loads(sys.argv[1])), sys.argv[2]))
