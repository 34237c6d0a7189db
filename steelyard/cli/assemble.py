"""Assemblies, made by processes of their own: importing CDK costs seconds and hundreds of MB."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from steelyard.cli.place import EXIT_UNUSABLE, ROOT, Unusable
from steelyard.rehearsal.assembly import Assembly, stage_folder
from steelyard.rollout.policy import canonical
from steelyard.spec import Endpoint

# jsii prints a box of warnings for Node versions that are past their end of life; that one is
# silenced by a list of major versions, the others by any value.
QUIET = {
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": ",".join(map(str, range(14, 40))),
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
}
# How long a synthesis may take to end when it is asked to.
_PATIENCE_SECONDS = 5
_RAISED = re.compile(r"[\w.]*(Error|Exception|Interrupt)\b.*")


def synthesise(endpoints: Mapping[Path, Endpoint], environment: str) -> None:
    """
    Synthesise endpoints side by side, each into its output folder, for one environment.

    Raises Unusable with what every failed synthesis says of its cause. However it ends, no process
    is left behind.
    """
    running: list[subprocess.Popen[str]] = []
    try:
        for output, endpoint in endpoints.items():
            running.append(_start(endpoint, environment, output))
        said = [process.communicate()[0] for process in running]
    finally:
        for process in running:
            _end(process)
    failed = [
        _cause(process.returncode, text)
        for process, text in zip(running, said, strict=True)
        if process.returncode != 0
    ]
    if failed:
        raise Unusable(list(dict.fromkeys(failed)))


def _start(endpoint: Endpoint, environment: str, output: Path) -> "subprocess.Popen[str]":
    context = {
        "endpoints": str(endpoint.folder.parent),
        "endpoint": endpoint.folder.name,
        "environment": environment,
        "challenger": endpoint.challenger.version,
        **({"shadow": "yes"} if endpoint.file.shadow is not None else {}),
    }
    return subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        env=os.environ
        | QUIET
        | {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(context)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A group of its own: it can be ended with the Node process that it starts.
        start_new_session=True,
    )


def _end(process: "subprocess.Popen[str]") -> None:
    """End a synthesis and its Node process: asked first, so that it removes its own files."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.communicate(timeout=_PATIENCE_SECONDS)


def _cause(code: int, said: str) -> str:
    """Return why a synthesis failed: all it said for input, else its last exception."""
    lines = said.strip().splitlines()
    if code == EXIT_UNUSABLE or not lines:
        return said.strip() or f"synthesis ended with exit code {code} and without a word"
    raised = next((n for n in reversed(range(len(lines))) if _RAISED.fullmatch(lines[n])), None)
    cause = lines[-1] if raised is None else " ".join(line.strip() for line in lines[raised:][:5])
    return f"synthesis failed: {cause}: mend it; `{sys.executable} app.py` in {ROOT} says more"


def assembly_problems(output: Path, stage: str | None) -> list[str]:
    """
    Return why a folder is not an output of `cdk synth` that holds a stage.

    Only that it is a folder is judged while the stage is unknown, None.
    """
    if not output.is_dir():
        what = "is no folder" if output.exists() else "is missing"
        return [f"--assembly: {output} {what}, allowed is an output of `cdk synth`: give its path"]
    if stage is None or (stage_folder(output, stage) / "manifest.json").is_file():
        return []
    found = sorted(path.name.removeprefix("assembly-") for path in output.glob("assembly-*"))
    if found:
        return [
            f"--assembly: {output} holds the stages {', '.join(found)}, allowed is one with "
            f"{stage}: synthesise that environment, or name another with --environment"
        ]
    return [
        f"--assembly: {output} holds no stage, allowed is an output of `cdk synth`, the folder "
        f"with its manifest.json and assembly-{stage}: give its path"
    ]


def mismatches(assembly: Assembly, endpoint: Endpoint) -> list[str]:
    """Return where an assembly was synthesised from something else than the endpoint's folder."""
    config = assembly.endpoint_config
    kinds = ("ProductionVariants", "ShadowProductionVariants")
    variants = [it["VariantName"] for kind in kinds for it in config.get(kind, ())]
    wanted = {"champion": endpoint.champion.version, "challenger": endpoint.challenger.version}
    problems = [
        f"--assembly: has the variants {', '.join(variants)}, allowed is one with the {role} "
        f"{version}: synthesise again, or name another challenger"
        for role, version in wanted.items()
        if version not in variants
    ]
    settings = _settings(assembly)
    challenger = settings.get("STEELYARD_CHALLENGER", wanted["challenger"])
    if not problems and challenger != wanted["challenger"]:
        problems.append(
            f"--assembly: has {challenger} on trial, allowed is {wanted['challenger']}, which is "
            f"to be played: give --challenger {challenger}, or synthesise again"
        )
    policy = canonical(endpoint.trial_policy().to_dict())
    if not problems and settings.get("STEELYARD_POLICY", policy) != policy:
        problems.append(
            "--assembly: has another policy than endpoint.yaml and the manifests give now: "
            "synthesise again"
        )
    return problems


def _settings(assembly: Assembly) -> dict[str, object]:
    """Return the environment of all functions together."""
    settings: dict[str, object] = {}
    for _, function in assembly.resources("AWS::Lambda::Function"):
        settings |= function["Properties"].get("Environment", {}).get("Variables", {})
    return settings
