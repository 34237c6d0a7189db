"""Start, load, judge and report: what `steelyard loadtest` does once its input is good."""

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steelyard.cli.load_request import Load, Request
from steelyard.cli.load_screen import LoadScreen
from steelyard.cli.place import Unusable
from steelyard.loadtest import client
from steelyard.loadtest.client import Patience
from steelyard.loadtest.play import Plan, play
from steelyard.loadtest.report import Report, write
from steelyard.loadtest.signing import NoCredentials, deployed
from steelyard.loadtest.target import Target, invocations
from steelyard.loadtest.verdict import Outcome
from steelyard.rehearsal import containers
from steelyard.rehearsal.containers import Container, ContainerFailed
from steelyard.spec import Endpoint


def run(request: Request, load: Load) -> Outcome:
    """
    Load the target, write the report, and return the verdict's outcome.

    Raises Unusable when the container does not start, or nothing says who calls AWS.
    """
    with LoadScreen() as screen, _target(request, load) as (target, process):
        plan = Plan(
            target=target,
            wanted=load.wanted,
            rate=load.rate,
            seconds=load.seconds,
            warm_up=request.warm_up,
            arrivals=request.arrivals,
            seed=request.seed,
            patience=Patience(request.connections, request.timeout),
            process=process,
            seeks_knee=request.seeks_knee,
        )
        result = client.run(lambda: play(plan, screen))
        write(Report(_title(request, load), _subtitle(request), plan, result), request.out)
        screen.end(result, request.out)
    return result.verdict.outcome


@contextmanager
def _target(request: Request, load: Load) -> Iterator[tuple[Target, int | None]]:
    """Give what is loaded, and its process where it is started here, while the context lasts."""
    if request.is_url or load.endpoint is None:
        yield Target(invocations(request.target), load.bodies, request.content_type), None
    elif request.environment is not None:
        yield _deployed(load.endpoint, request.environment, request.variant, load.bodies), None
    else:
        with _container(load.endpoint, load.version, request.workers) as container:
            url = f"http://127.0.0.1:{container.port}/invocations"
            yield Target(url, load.bodies), container.process.pid


def _deployed(
    endpoint: Endpoint, environment: str, variant: str | None, bodies: list[bytes]
) -> Target:
    region = endpoint.file.environments[environment].region
    try:
        return deployed(f"{endpoint.file.endpoint}-{environment}", region, variant, bodies)
    except NoCredentials as error:
        raise Unusable([str(error)]) from None


@contextmanager
def _container(endpoint: Endpoint, version: str, workers: int | None) -> Iterator[Container]:
    """Serve a version from the source tree, as a rehearsal does, while the context lasts."""
    image = ["inference"] if workers is None else ["inference", "--workers", str(workers)]
    settings = {"STEELYARD_ENDPOINT": endpoint.file.endpoint, "STEELYARD_VARIANT": version}
    with tempfile.TemporaryDirectory(prefix="steelyard-load-") as folder:
        artefact = _archive(endpoint.folder / version)
        container = containers.start(version, artefact, settings, Path(folder), image)
        try:
            container.wait_until_ready()
            yield container
        except ContainerFailed as error:
            raise Unusable([str(error)]) from None
        finally:
            container.close()


def _archive(folder: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", compresslevel=1) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)
    return content.getvalue()


def _title(request: Request, load: Load) -> str:
    return (
        request.target if request.is_url or load.endpoint is None else load.endpoint.file.endpoint
    )


def _subtitle(request: Request) -> str:
    if request.environment is not None:
        return " ".join(filter(None, (request.environment, request.variant)))
    return "" if request.is_url else request.version or "champion"
