"""The local AWS: a moto server on loopback, extended, on one virtual clock."""

import io
import json
import logging
import os
import threading
import urllib.request
import zipfile
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

from steelyard.rehearsal.assembly import Assembly, Asset, CannotPlay
from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.endpoints import Endpoints
from steelyard.rehearsal.functions import Functions
from steelyard.rehearsal.leash import only_loopback
from steelyard.rehearsal.moto_patches import awslambda, cloudformation, sagemaker, stepfunctions
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
        Deploy the assembly's stacks in their order, as CloudFormation would.

        Raises CannotPlay with the reason of the stack that could not be created.
        """
        self.client("ssm").put_parameter(
            Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
        )
        assets = [asset for stack in assembly.stacks for asset in stack.assets]
        for bucket in sorted({asset.bucket for asset in assets}):
            self._bootstrap(bucket)
        for asset in assets:
            self._publish(asset)
        for stack in assembly.stacks:
            try:
                self.client("cloudformation").create_stack(
                    StackName=stack.name,
                    TemplateBody=json.dumps(stack.template),
                    Capabilities=["CAPABILITY_NAMED_IAM"],
                )
            except Exception as error:  # moto lets any error of a resource through
                raise CannotPlay([f"{stack.name} could not be created: {error}"]) from error
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

    def _bootstrap(self, bucket: str) -> None:
        # S3 refuses the name of its first region as a constraint.
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        self.client("s3").create_bucket(
            Bucket=bucket, **(elsewhere if self.region != "us-east-1" else {})
        )

    def _publish(self, asset: Asset) -> None:
        body = _zipped(asset.path) if asset.is_folder else asset.path.read_bytes()
        self.client("s3").put_object(Bucket=asset.bucket, Key=asset.key, Body=body)

    def _forget(self) -> None:
        self._generation += 1
        self.endpoints = Endpoints(lambda: self.clock.now)
        self.endpoints.install()
        self.runtime = Runtime(self.endpoints, self.account, self.region)
        # moto's memory is the process's: another local AWS may have left something there.
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request).close()
        self.samples = SampleStore(PUBLICATION_SECONDS)
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
    cloudformation.install(lambda service: aws.client(service))
    awslambda.install(lambda: aws.functions)
    sagemaker.install(aws.client("sagemaker"))
    stepfunctions.install()
    # The state machines' own calls look for the port there.
    os.environ["MOTO_PORT"] = aws.url.rsplit(":", 1)[1]
    return aws


def _zipped(folder: Path) -> bytes:
    """Return a folder as an archive, the same bytes for the same files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()
