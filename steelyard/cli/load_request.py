"""What `steelyard loadtest` was asked for, checked whole, and turned into a load."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from steelyard.cli.place import Unusable, endpoint_folder
from steelyard.cli.tools import missing_packages
from steelyard.spec import Endpoint, SpecError, load
from steelyard.spec.quantities import seconds as duration

if TYPE_CHECKING:
    from steelyard.loadtest.verdict import Wanted

_KINDS = ("http://", "https://")
# A run is at least so long, and longer until it has this many requests: enough for a p99.
_LEAST_SECONDS = 30.0
_LEAST_REQUESTS = 600
# Each is remembered until the end, in some 100 bytes.
_MOST_REQUESTS = 10_000_000
# What has a meaning for one kind of target only.
_URLS = ("endpoint", "body")
_ENDPOINTS = ("version", "workers", "environment")


@dataclass(frozen=True)
class Request:
    """What was typed."""

    target: str
    rate: float | None
    times: float
    seconds: float | None
    warm_up: float
    version: str | None
    workers: int | None
    environment: str | None
    variant: str | None
    endpoint: str | None
    body: Path | None
    content_type: str
    p99: str | None
    arrivals: Literal["poisson", "constant"]
    connections: int
    timeout: float
    knee: bool | None
    seed: int
    out: Path

    @property
    def is_url(self) -> bool:
        """Whether the target is a server that runs already."""
        return self.target.startswith(_KINDS)

    @property
    def seeks_knee(self) -> bool:
        """Whether higher rates are tried; never by default where others pay for it."""
        if self.knee is not None:
            return self.knee
        return self.rate is None and self.environment is None


@dataclass(frozen=True)
class Load:
    """
    What will be done: which bodies, at how many requests a second, for how many seconds.

    `endpoint` is None for a URL that no endpoint file describes; `version` is the model version
    whose container is started, or which gets every request.
    """

    endpoint: Endpoint | None
    version: str
    bodies: list[bytes]
    rate: float
    seconds: float
    wanted: "Wanted"


def prepare(request: Request) -> Load:
    """Return what will be done; raises Unusable with everything that is wrong with a request."""
    problems = [*missing_packages(), *_option_problems(request)]
    endpoint, version = None, ""
    try:
        endpoint, version = _endpoint(request)
    except (SpecError, Unusable) as error:
        problems += error.problems
    bodies = _bodies(request, endpoint, problems)
    limit = _limit(request, endpoint, problems)
    problems += _environment_problems(request, endpoint)
    if problems or limit is None:
        raise Unusable(problems, f"{request.target} cannot be load-tested")
    wanted = _wanted(request, endpoint, version, limit)
    rate = request.rate if request.rate is not None else wanted.rate
    if rate is None:
        raise Unusable(["--rate: given none, nor --endpoint, whose file plans one: give either"])
    length = request.seconds or max(_LEAST_SECONDS, _LEAST_REQUESTS / rate)
    if rate * length > _MOST_REQUESTS:
        raise Unusable(
            [
                f"--rate, --seconds: given {rate * length:,.0f} requests, allowed is at most "
                f"{_MOST_REQUESTS:,}: lower either"
            ]
        )
    return Load(endpoint, version, bodies, rate, length, wanted)


def _option_problems(request: Request) -> list[str]:
    """Return a sentence for each option that has no meaning beside what else was typed."""
    kind, others = ("URL", _ENDPOINTS) if request.is_url else ("ENDPOINT", _URLS)
    problems = [
        f"--{name}: given with {request.target!r}, allowed is it with the other kind of target, "
        f"since this one is of the kind {kind}: leave it out"
        for name in others
        if getattr(request, name) is not None
    ]
    if request.is_url and not urlsplit(request.target).hostname:
        problems.append(f"URL: given {request.target!r}, allowed is one with a host: add it")
    if request.is_url and (request.body is None) == (request.endpoint is None):
        problems.append(
            f"--body, --endpoint: given {'both' if request.body else 'neither'}, allowed is one of "
            f"them for a URL: --body with a file to post, or --endpoint with rows"
        )
    if request.environment is None and request.variant is not None:
        problems.append("--variant: given without --environment, which has variants: add it")
    if request.environment is not None and (request.workers or request.version):
        problems.append(
            "--workers, --version: given with --environment, where nothing is started: leave them "
            "out; --variant chooses what is deployed there"
        )
    return problems


def _endpoint(request: Request) -> tuple[Endpoint | None, str]:
    """Return the endpoint whose file is asked, and the version under load."""
    name = request.endpoint if request.is_url else request.target
    if name is None:
        return None, ""
    endpoint = load(endpoint_folder(name))
    version = request.version or request.variant or endpoint.champion.version
    if version not in endpoint.manifests:
        endpoint = endpoint.with_challenger(version)
    return endpoint, version


def _bodies(request: Request, endpoint: Endpoint | None, problems: list[str]) -> list[bytes]:
    if endpoint is not None:
        return [json.dumps(record).encode() for record, _ in endpoint.rows]
    if request.body is None:
        return []
    try:
        return [request.body.read_bytes()]
    except OSError as error:
        problems.append(
            f"--body: {request.body} cannot be read ({error.strerror}), allowed is a file that "
            f"can: correct its name"
        )
        return []


def _limit(request: Request, endpoint: Endpoint | None, problems: list[str]) -> float | None:
    """Return the limit of p99 in seconds."""
    if request.p99 is not None:
        try:
            return duration(request.p99)
        except ValueError as error:
            problems.append(f"--p99: {error}")
            return None
    if endpoint is not None:
        return endpoint.file.alarms.latency_p99
    if request.endpoint is None and request.is_url:
        problems.append(
            "--p99: given none, nor --endpoint, whose file has a limit, allowed is a duration: "
            "write for example --p99 '20 milliseconds'"
        )
    return None


def _environment_problems(request: Request, endpoint: Endpoint | None) -> list[str]:
    if endpoint is None or request.environment is None:
        return []
    known = list(endpoint.file.environments)
    deployed = [variant.version for variant in endpoint.file.variants]
    problems = []
    if request.environment not in known:
        problems.append(
            f"--environment: given {request.environment!r}, allowed is {', '.join(known)}: write "
            f"one of these"
        )
    if request.variant is not None and request.variant not in deployed:
        problems.append(
            f"--variant: given {request.variant!r}, allowed is {', '.join(deployed)}, the variants "
            f"of the file: write one of these"
        )
    return problems


def _wanted(request: Request, endpoint: Endpoint | None, version: str, limit: float) -> "Wanted":
    """Return what must hold: a started container and a URL are one instance of the variant."""
    from steelyard.loadtest.verdict import Wanted

    if endpoint is None:
        return Wanted(limit)
    traffic = endpoint.file.traffic.requests_per_minute
    plan = f"{request.times:g} x the file's {traffic:g} a minute"
    rate = request.times * traffic / 60
    if request.environment is not None:
        return Wanted(limit, rate, plan)
    variants = [it for it in endpoint.file.variants if it.version == version]
    count = variants[0].instance_count if variants else endpoint.champion.instance_count
    instances = f"{count} instance{'' if count == 1 else 's'}"
    return Wanted(limit, rate / count, f"{plan} over {instances}")
