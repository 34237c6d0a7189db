"""
CloudFormation's custom resources: the service token's function is woken, and answers by a PUT.

moto wakes a container in Docker and never updates or deletes. Events and answers are those of the
CloudFormation user guide, "Custom resource request objects" and "Custom resource response objects":
every value is a string, and an answer names the request it is for. As CloudFormation would wait an
hour for an answer that never comes, one that is not there when the function has ended is a failure.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

from steelyard.rehearsal.moto_patches.resource import Resource, api

PATH = "/custom-resource-answers/"


class Answers:
    """The answers that came, by request; `url` is where the local AWS answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._found: dict[str, dict[str, Any]] = {}

    def install(self) -> None:
        """Let templates have custom resources, whose functions answer here."""
        global _answers
        _answers = self
        vars(parsing)["CustomModel"] = CustomResource

    def respond(self, environ: Mapping[str, Any]) -> str:
        """
        Take an answer, and return the HTTP status it gets.

        The address is a signed one, and the signature covers an empty Content-Type: any other is
        refused, as S3 does (AWS's own cfn-response module sends an empty one).
        """
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size)
        if environ["REQUEST_METHOD"] != "PUT" or environ.get("CONTENT_TYPE"):
            return "403 Forbidden"
        self._found[environ["PATH_INFO"].removeprefix(PATH)] = json.loads(body)
        return "200 OK"

    def take(self, request: str) -> dict[str, Any] | None:
        """Return the answer to a request, None when none came."""
        return self._found.pop(request, None)


_answers = Answers("")


class CustomResource(Resource, CloudFormationModel):
    """One custom resource, of any type."""

    TYPE = "AWS::CloudFormation::CustomResource"
    FIXED = ("ServiceToken",)

    def __init__(self, properties: Mapping[str, Any], request: Mapping[str, str]) -> None:
        self._request = dict(request)
        self._identity: str | None = None
        super().__init__(request["LogicalResourceId"], properties)

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> "CustomResource":
        """Create the resource that a template describes."""
        request = {
            "LogicalResourceId": kwargs["LogicalId"],
            "StackId": kwargs["StackId"],
            "ResourceType": kwargs["ResourceType"],
        }
        return cls(cloudformation_json["Properties"], request)

    @classmethod
    def has_cfn_attr(cls, attribute: str) -> bool:
        """Return True: what a custom resource answers is its own."""
        return True

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Ask the function to create the resource."""
        return self._ask("Create", properties)

    def change(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Ask the function to change the resource."""
        return self._ask("Update", properties, OldResourceProperties=_texts(self.properties))

    def remove(self) -> None:
        """Ask the function to delete the resource."""
        self._ask("Delete", self.properties)

    def _ask(self, kind: str, properties: Mapping[str, Any], **more: Any) -> Mapping[str, str]:
        """Wake the function, and keep why it failed: what failed is rolled back all the same."""
        request = str(uuid.uuid4())
        known = {} if self._identity is None else {"PhysicalResourceId": self._identity}
        event = {
            "RequestType": kind,
            "RequestId": request,
            "ResponseURL": f"{_answers.url}{PATH}{request}",
            "ServiceToken": properties["ServiceToken"],
            "ResourceProperties": _texts(properties),
            **self._request,
            **known,
            **more,
        }
        woken = api("lambda").invoke(
            FunctionName=properties["ServiceToken"], Payload=json.dumps(event).encode()
        )
        answer = _answers.take(request)
        self.failure = self._problem(event, woken, answer)
        if answer is None:
            # What was never answered for has an id of CloudFormation's, which it deletes by.
            self._identity = self._identity or f"{self.name}-{request}"
            return {"Ref": self._identity}
        self._identity = answer.get("PhysicalResourceId", self._identity)
        return {**_texts(answer.get("Data") or {}), "Ref": str(self._identity)}

    def _problem(
        self, event: Mapping[str, Any], woken: Mapping[str, Any], answer: Mapping[str, Any] | None
    ) -> str | None:
        """Return why the request failed, None when it was done."""
        if answer is None:
            error = woken["Payload"].read().decode() if "FunctionError" in woken else "no answer"
            return f"{event['ServiceToken']} did not answer the {event['RequestType']}: {error}"
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            if answer.get(name) != event[name]:
                return f"its answer has the {name} {answer.get(name)!r}, allowed is {event[name]!r}"
        if not answer.get("PhysicalResourceId"):
            return "its answer has no PhysicalResourceId: name the resource"
        if self._identity not in (None, answer["PhysicalResourceId"]):
            return "its PhysicalResourceId has changed, which is not played: keep it"
        if answer.get("Status") == "SUCCESS":
            return None
        return str(answer.get("Reason") or f"its answer has the status {answer.get('Status')!r}")


def _texts(value: Any) -> Any:
    """Return properties as events carry them: every scalar is a string."""
    if isinstance(value, Mapping):
        return {name: _texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
