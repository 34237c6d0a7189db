"""Guard: a stack asks before its first change to the endpoint, and says when it is done."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from stacks.names import Names

RESOURCE_TYPE = "Custom::Guard"
# The function answers within a minute; CloudFormation's own patience is an hour.
PATIENCE_SECONDS = 300


def digest(template: Mapping[str, Any]) -> str:
    """Return the name of a template's content: sha256 (hex) of its JSON with sorted keys."""
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()


def guard(stack: cdk.Stack, names: Names, content: str, override: str | None) -> None:
    """
    Let a stack, whose resources all stand, be deployed only while no rollout is in progress.

    `content` is the digest of its template without the guard: CloudFormation calls the guard when
    it changes, so whenever the stack does. `override` is who deploys nevertheless, and why.
    """
    guarded = list(stack.node.children)
    take = _resource(
        stack, names, "take", {"Stack": stack.stack_name, "Hash": content, **_said(override)}
    )
    give = _resource(stack, names, "give", {"Stack": stack.stack_name, "Hash": content})
    for child in guarded:
        child.node.add_dependency(take)
    give.node.add_dependency(take, *guarded)


def _said(override: str | None) -> dict[str, str]:
    return {} if override is None else {"Override": override}


def _resource(
    stack: cdk.Stack, names: Names, role: str, properties: Mapping[str, str]
) -> cdk.CustomResource:
    return cdk.CustomResource(
        stack,
        f"Guard{role.title()}",
        resource_type=RESOURCE_TYPE,
        # Known by its name alone, as the alarms know their actions: no export ties the stacks.
        service_token=names.alias_arn("guard"),
        service_timeout=cdk.Duration.seconds(PATIENCE_SECONDS),
        properties={"Role": role, **properties},
    )
