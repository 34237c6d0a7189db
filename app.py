#!/usr/bin/env python3
"""
Synthesise every endpoint in endpoints/, for each of its environments.

Context (`-c name=value`): `endpoints` another folder of endpoints, `endpoint` only this one,
`environment` only this one, `challenger` another version on trial than the file says, `shadow` (any
text) its shadow run instead of its rollout, `override` who deploys while a rollout is in progress
and why, as "who: why".
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from steelyard.spec import Endpoint, SpecError, load

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Synthesise, or say everything that is wrong with the endpoint files and exit with 2."""
    # The command line passes the context of cdk.json by itself; plain Python must give the same.
    settings: dict[str, object] = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    wish: dict[str, str] = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    endpoints, problems = check(wish)
    if problems:
        sys.stderr.write("\n".join(problems) + "\n")
        raise SystemExit(2)
    # Imported late: CDK costs seconds, which wrong input need not wait for.
    import aws_cdk as cdk

    from stacks.stage import add_stages

    output = os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out"))
    app = cdk.App(context=settings, outdir=output, analytics_reporting=False)
    wanted = [(it, environment) for it in endpoints for environment in environments(it, wish)]
    add_stages(app, wanted, override=wish.get("override"))
    app.synth()


def check(wish: Mapping[str, str]) -> tuple[list[Endpoint], list[str]]:
    """Return the endpoints that are wished for, and what is wrong with each folder."""
    endpoints, problems = [], []
    for folder in folders(wish):
        try:
            endpoint = load(folder)
            if wish.get("challenger"):
                endpoint = endpoint.with_challenger(wish["challenger"])
            if wish.get("shadow"):
                endpoint = endpoint.with_shadow()
            environments(endpoint, wish)
            endpoints.append(endpoint)
        except SpecError as error:
            problems.append(str(error))
    problems += refused_override(wish)
    if not endpoints and not problems:
        home = wish.get("endpoints", "endpoints/")
        problems.append(f"{home} holds no folder with an endpoint.yaml: write one")
    return endpoints, problems


def refused_override(wish: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the override: the audit must say who wanted it, and why."""
    override = wish.get("override")
    who, _, why = (override or "").partition(":")
    if override is None or (who.strip() and why.strip()):
        return []
    return [
        f"override: given {override!r}, allowed is who wants it and why: write for example "
        f'-c override="ada: the fix of incident 7"'
    ]


def folders(wish: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders of the endpoints that are wished for."""
    home = Path(wish.get("endpoints", ROOT / "endpoints"))
    if wish.get("endpoint"):
        yield home / wish["endpoint"]
    else:
        yield from sorted(path.parent for path in home.glob("*/endpoint.yaml"))


def environments(endpoint: Endpoint, wish: Mapping[str, str]) -> list[str]:
    """
    Return the environments that are wished for.

    Raises SpecError for one that the file does not name.
    """
    known = list(endpoint.file.environments)
    only = wish.get("environment")
    if only is None:
        return known
    if only not in known:
        problem = f"environment {only}: the file names {', '.join(known)}"
        raise SpecError(endpoint.folder, [problem])
    return [only]


if __name__ == "__main__":
    main()
