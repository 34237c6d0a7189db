"""The local AWS: a moto server on loopback, extended, on one virtual clock."""

import json
import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from steelyard.rehearsal import deployment
from steelyard.rehearsal.assembly import Assembly, CannotPlay
from steelyard.rehearsal.bus import Bus
from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.endpoints import Endpoints
from steelyard.rehearsal.functions import Functions
from steelyard.rehearsal.leash import only_loopback
from steelyard.rehearsal.moto_patches import (  # noqa: F401  resource types, found by moto
    awslambda,
    cloudformation,
    custom,
    dynamodb,
    once,
    resource,
    sagemaker,
    scaling,
    stacks,
    stepfunctions,
)
from steelyard.rehearsal.processes import isolated
from steelyard.rehearsal.promql import SampleStore
from steelyard.rehearsal.runtime import Runtime, to_wsgi

# Counters become visible this long after they were scraped: an assumption, as the delay of the
# managed collector is documented nowhere.
PUBLICATION_SECONDS = 30.0

Start = Callable[[str, list[tuple[str, str]]], Any]


class LocalAws:
    """
    One account and region on a free port of loopback.

    What was deployed is forgotten at `reset`; clock and port stay.
    """

    def __init__(self, clock: Clock, account: str, region: str, folder: Path) -> None:
        self.clock = clock
        self.account = account
        self.region = region
        self._folder = folder
        self._generation = 0
        self._server = self._listen()
        self.answers = custom.Answers(self.url)
        self.client = cache(self._client)
        self._forget()

    @property
    def url(self) -> str:
        """Where the services answer."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find this AWS and no other."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
        }

    def reset(self) -> None:
        """Forget everything that was deployed."""
        self.functions.close()
        self._forget()

    def close(self) -> None:
        """End the functions and the server."""
        self.functions.close()
        self._server.shutdown()
        self._server.server_close()

    def deploy(self, assembly: Assembly) -> None:
        """
        Deploy the assembly's stacks on an AWS that has none of them, and start their functions.

        Raises CannotPlay with the reason of the stack that could not be created.
        """
        problems = deployment.deploy(self, assembly)
        if problems:
            raise CannotPlay(problems)
        self._start_functions(assembly)

    def _start_functions(self, assembly: Assembly) -> None:
        backend = awslambda.backend(self.account, self.region)
        for _, function in assembly.resources("AWS::Lambda::Function"):
            name = function["Properties"]["FunctionName"]
            for version in self.client("lambda").list_versions_by_function(FunctionName=name)[
                "Versions"
            ]:
                if version["Version"] != "$LATEST":
                    found = backend.get_function(name, version["Version"])
                    self.functions.start(awslambda.published(found))
        self.functions.wait_until_ready()

    def _wait(self, seconds: float) -> None:
        """Wait on the clock, if that is not moved on by the caller itself."""
        if self.clock.is_known():
            self.clock.sleep(seconds)

    def _forget(self) -> None:
        self._generation += 1
        self.endpoints = Endpoints(lambda: self.clock.now, self._wait)
        self.endpoints.install()
        self.runtime = Runtime(self.endpoints, self.account, self.region)
        # moto's memory is the process's: another local AWS may have left something there.
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request).close()
        self.samples = SampleStore(PUBLICATION_SECONDS)
        self.bus = Bus(lambda: self.clock.now, self.account, self.region)
        folder = self._folder / f"functions-{self._generation}"
        self.functions = Functions(folder, self.environment)

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.url,
            aws_access_key_id="rehearsal",
            aws_secret_access_key="rehearsal",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def _listen(self) -> BaseWSGIServer:
        # Each request, and each state that fails as it should, would be a line of their logs.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        moto = DomainDispatcherApplication(create_backend_app)

        def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = self.account
            if environ["PATH_INFO"] == "/api/v1/query":
                return self._query(environ, start)
            if environ["PATH_INFO"].startswith(custom.PATH):
                start(self.answers.respond(environ), [])
                return []
            if (response := self.runtime.respond(environ)) is not None:
                return to_wsgi(response, start)
            answer: Iterable[bytes] = moto(environ, start)
            return answer

        server = make_server("127.0.0.1", 0, application, threaded=True)
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        return server

    def _query(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer CloudWatch's PromQL API, which moto does not have."""
        size = int(environ.get("CONTENT_LENGTH") or 0)
        fields = parse_qs(environ["wsgi.input"].read(size).decode())
        at = float(fields["time"][0]) if "time" in fields else self.clock.now
        status, body = self.samples.query(fields.get("query", [""])[0], at, self.clock.now)
        start(f"{status} -", [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]


@contextmanager
def local_aws(clock: Clock, account: str, region: str, folder: Path) -> Iterator[LocalAws]:
    """Run a local AWS while the context lasts; nothing leaves this machine meanwhile."""
    with isolated(), only_loopback():
        aws = _installed(clock, account, region, folder)
        try:
            with stepfunctions.on_clock(clock):
                yield aws
        finally:
            aws.close()


def _installed(clock: Clock, account: str, region: str, folder: Path) -> LocalAws:
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    default_user_config["lambda"] = {"use_docker": False}
    aws = LocalAws(clock, account, region, folder)
    resource.install(lambda service: aws.client(service))
    stacks.install()
    aws.answers.install()
    awslambda.install(lambda: aws.functions)
    dynamodb.install()
    sagemaker.install(aws.client("sagemaker"))
    stepfunctions.install(lambda execution: aws.bus.note(execution))
    once.install()
    # The state machines' own calls look for the port there.
    os.environ["MOTO_PORT"] = aws.url.rsplit(":", 1)[1]
    return aws
