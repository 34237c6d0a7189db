"""A deployment on the local AWS: assets are published, stacks created or updated in their order."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from moto.cloudformation.models import CloudFormationBackend, Stack, cloudformation_backends

from steelyard.rehearsal.assembly import Assembly, Asset, StackTemplate

if TYPE_CHECKING:
    from steelyard.rehearsal.local_aws import LocalAws

_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


class Deployment:
    """
    A deployment that goes on while the clock is moved on, as `cdk deploy` runs beside traffic.

    A stack waits for its endpoint; the first that fails ends the deployment, and `problems` says
    why once it `is_done`.
    """

    def __init__(self, aws: LocalAws, assembly: Assembly) -> None:
        self.problems: list[str] = []
        self._aws = aws
        self._assembly = assembly
        self._thread = aws.clock.Thread(target=self._run, name="deployment", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.problems += deploy(self._aws, self._assembly)
        except Exception as error:
            self.problems.append(f"the deployment broke off: {error}")
            raise


def deploy(aws: LocalAws, assembly: Assembly) -> list[str]:
    """
    Create or update the assembly's stacks in their order; return why it could not go on.

    A stack whose template is the one it has is left alone, as the CDK does.
    """
    aws.client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String", Overwrite=True
    )
    assets = [asset for stack in assembly.stacks for asset in stack.assets]
    known = {bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]}
    for bucket in sorted({asset.bucket for asset in assets} - known):
        _bootstrap(aws, bucket)
    for asset in assets:
        _publish(aws, asset)
    for template in assembly.stacks:
        if (problem := _stack(aws, template)) is not None:
            return [problem]
    return []


def _stack(aws: LocalAws, template: StackTemplate) -> str | None:
    """Bring one stack to its template; return why it could not be."""
    backend: CloudFormationBackend = cloudformation_backends[aws.account][aws.region]
    text = json.dumps(template.template)
    before = next((one for one in backend.stacks.values() if one.name == template.name), None)
    if before is not None and before.has_template(text):
        return None
    done = "created" if before is None else "updated"
    try:
        # Called within this thread, not by HTTP: a stack that waits must wait on the clock.
        stack = _put(backend, before, template.name, text)
    except Exception as error:  # moto lets any error of a template through
        return f"{template.name} could not be {done}: {error}"
    if stack.status in _DONE:
        return None
    return f"{template.name} could not be {done}, {stack.status}: {vars(stack)['status_reason']}"


def _put(backend: CloudFormationBackend, before: Stack | None, name: str, text: str) -> Stack:
    if before is None:
        return backend.create_stack(name=name, template=text, parameters={})
    return backend.update_stack(name, text, role_arn=None, parameters=[], tags=None)


def _bootstrap(aws: LocalAws, bucket: str) -> None:
    # S3 refuses the name of its first region as a constraint.
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    aws.client("s3").create_bucket(
        Bucket=bucket, **(elsewhere if aws.region != "us-east-1" else {})
    )


def _publish(aws: LocalAws, asset: Asset) -> None:
    body = _zipped(asset.path) if asset.is_folder else asset.path.read_bytes()
    aws.client("s3").put_object(Bucket=asset.bucket, Key=asset.key, Body=body)


def _zipped(folder: Path) -> bytes:
    """Return a folder as an archive, the same bytes for the same files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()
