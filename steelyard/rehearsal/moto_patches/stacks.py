"""
moto's stacks: changed in the order of their dependencies, and rolled back when that fails.

moto changes resources in the order of the template, deletes first, tries a failed one five times,
says UPDATE_COMPLETE even so and rolls nothing back. CloudFormation creates and changes in the order
of references and DependsOn, deletes what is gone only after everything else succeeded, and applies
the old template again after a failure ("Update behaviors of stack resources", "Stack failure
options" in the CloudFormation user guide).
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.models import Event, Stack, cloudformation_backends
from moto.cloudformation.parsing import ResourceMap

from steelyard.rehearsal.moto_patches import replace
from steelyard.rehearsal.moto_patches.resource import Resource

# moto's own types of which any change is another resource.
_REPLACED = frozenset({"AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Model"})
_IN_SUB = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")

Template = Mapping[str, Any]


class StackFailed(Exception):
    """A resource could not be brought to what its template says; the message is its reason."""


@dataclass
class Applied:
    """A resource as it stands: what made it, and the properties it was last given."""

    resource: Any
    declared: dict[str, Any]
    properties: Any


def install() -> None:
    """Let moto's stacks change and end as CloudFormation's do."""
    for function in (create_resources, update, delete):
        replace(Stack, function)


def create_resources(stack: Stack) -> None:
    """Create the stack's resources; after a failure none is left, and its status says so."""
    stack.status = "CREATE_IN_PROGRESS"
    stack.description = stack.template_dict.get("Description")
    _converge(stack, {"Resources": {}}, stack.template_dict, "CREATE", "ROLLBACK")


def update(
    stack: Stack,
    template: str,
    role_arn: str | None = None,
    parameters: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    """Bring the stack to another template; after a failure it is brought back to the one it had."""
    before, text = stack.template_dict, stack.template
    stack.status = "UPDATE_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason="User Initiated")
    if parameters:
        stack.resource_map.input_parameters = stack.parameters = parameters
    stack.role_arn = role_arn
    stack.tags = stack.tags if tags is None else tags
    stack.template = template
    stack._parse_template()
    if not _converge(stack, before, stack.template_dict, "UPDATE", "UPDATE_ROLLBACK"):
        stack.template, stack.template_dict = text, before
    stack.output_map = stack._create_output_map()


def delete(stack: Stack) -> None:
    """Delete the stack's resources but those that are retained, in the reverse of their order."""
    stack.status = "DELETE_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason="User Initiated")
    names = reversed(list(_applied(stack)))
    problems = [problem for name in names if (problem := _remove(stack, name)) is not None]
    _end(stack, "DELETE_FAILED" if problems else "DELETE_COMPLETE", "; ".join(problems))


def deployed(account: str, region: str, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the properties, as they were resolved, of each resource of one type that stands."""
    for stack in cloudformation_backends[account][region].stacks.values():
        for applied in _applied(stack).values():
            if applied.declared["Type"] == kind:
                yield applied.properties


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """Return the logical ids so that each stands after those it refers to or depends on."""
    ordered: dict[str, None] = {}
    waiting: set[str] = set()

    def add(name: str) -> None:
        if name in ordered or name in waiting:
            return
        waiting.add(name)
        for other in _references(resources[name]):
            if other in resources:
                add(other)
        ordered[name] = None

    for name in resources:
        add(name)
    return list(ordered)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for item in part:
            yield from _references(item)
    if not isinstance(part, dict):
        return
    for key, value in part.items():
        match key, value:
            case (("Ref" | "DependsOn"), str()):
                yield value
            case "DependsOn", list():
                yield from value
            case "Fn::GetAtt", list():
                yield value[0]
            case "Fn::Sub", _:
                yield from _IN_SUB.findall(value if isinstance(value, str) else value[0])
                yield from _references(value)
            case _:
                yield from _references(value)


def _converge(stack: Stack, before: Template, after: Template, doing: str, undoing: str) -> bool:
    """Apply `after`, or `before` again when that fails; say whether it succeeded."""
    left: dict[str, Applied] = {}
    try:
        _apply(stack, after, doing, left)
    except StackFailed as failure:
        stack.status = f"{undoing}_IN_PROGRESS"
        stack._add_stack_event(stack.status, resource_status_reason=str(failure))
        try:
            _restore(stack, left)
            _apply(stack, before, "UPDATE", {})
        except StackFailed as worse:
            _end(stack, f"{undoing}_FAILED", f"{failure}; then {worse}")
            return False
        _clean_up(stack, before)
        _end(stack, f"{undoing}_COMPLETE", str(failure))
        return False
    _clean_up(stack, after)
    for old in left.values():
        _delete(stack, old, "UpdateReplacePolicy")
    _end(stack, f"{doing}_COMPLETE")
    return True


def _apply(stack: Stack, template: Template, doing: str, left: dict[str, Applied]) -> None:
    """Create and change what the template says; what was replaced is put into `left`."""
    resources = stack.resource_map
    resources._template = dict(template)
    resources._resource_json_map = template["Resources"]
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    for name in in_order(template["Resources"]):
        declared = template["Resources"][name]
        condition = declared.get("Condition")
        if condition is None or resources.lazy_condition_map[condition]:
            with _reported(stack, name, declared["Type"], doing):
                _put(stack, name, declared, left)


def _put(stack: Stack, name: str, declared: dict[str, Any], left: dict[str, Applied]) -> None:
    """Bring one resource to what the template says, if it is not like that."""
    applied, resources = _applied(stack), stack.resource_map
    properties = parsing.clean_json(copy.deepcopy(declared.get("Properties", {})), resources)
    old = applied.get(name)
    if old is None:
        applied[name] = Applied(_made(resources, name, declared), declared, properties)
    elif _is_replaced(old, declared, properties):
        new = Applied(_made(resources, name, declared), declared, properties)
        left[name], applied[name] = old, new
    elif properties != old.properties:
        # Noted first: what fails half way must be given its old properties again.
        old.properties = properties
        old.resource = _made(resources, name, declared, parsing.parse_and_update_resource)
    applied[name].declared = declared
    resources._parsed_resources[name] = applied[name].resource
    _refuse_failure(applied[name].resource)


def _made(
    resources: ResourceMap,
    name: str,
    declared: dict[str, Any],
    make: Callable[..., Any] = parsing.parse_and_create_resource,
) -> Any:
    resource = make(
        name,
        copy.deepcopy(declared),
        resources,
        account_id=resources._account_id,
        region_name=resources._region_name,
    )
    if resource is None:
        raise StackFailed(f"{declared['Type']} cannot be made or changed so here")
    return resource


def _is_replaced(old: Applied, declared: dict[str, Any], properties: Any) -> bool:
    if declared["Type"] != old.declared["Type"]:
        return True
    if not isinstance(old.resource, Resource):
        return declared["Type"] in _REPLACED and properties != old.properties
    fixed = {*old.resource.FIXED, old.resource.NAME_PROPERTY}
    return any(old.properties.get(name) != properties.get(name) for name in fixed)


def _restore(stack: Stack, left: Mapping[str, Applied]) -> None:
    """Put the replaced resources back into the place of their successors, which are deleted."""
    for name, old in left.items():
        _delete(stack, _applied(stack)[name], None)
        _applied(stack)[name] = old
        stack.resource_map._parsed_resources[name] = old.resource


def _clean_up(stack: Stack, template: Template) -> None:
    """Delete what the template does not name; CloudFormation goes on when one cannot be."""
    for name in reversed(list(_applied(stack))):
        if name not in template["Resources"]:
            _remove(stack, name)


def _remove(stack: Stack, name: str) -> str | None:
    """Delete a resource, or leave it if it is retained; return what went wrong."""
    old = _applied(stack)[name]
    try:
        with _reported(stack, name, old.declared["Type"], "DELETE"):
            _delete(stack, old, "DeletionPolicy")
    except StackFailed as failure:
        return str(failure)
    del _applied(stack)[name]
    stack.resource_map._parsed_resources.pop(name, None)
    return None


def _delete(stack: Stack, old: Applied, policy: str | None) -> None:
    if policy is not None and old.declared.get(policy) == "Retain":
        return
    if isinstance(old.resource, Resource):
        old.resource.remove()
        _refuse_failure(old.resource)
        return
    declared = old.declared | {"Properties": old.properties}
    stack.resource_map._delete_resource(old.resource, declared)


def _refuse_failure(resource: Any) -> None:
    if isinstance(resource, Resource) and resource.failure is not None:
        reason, resource.failure = resource.failure, None
        raise StackFailed(reason)


@contextmanager
def _reported(stack: Stack, name: str, kind: str, doing: str) -> Iterator[None]:
    """Turn any failure of a resource into an event of its stack and a StackFailed."""
    try:
        yield
    except Exception as error:
        reason = str(error)
        event = Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=name,
            physical_resource_id="",
            resource_type=kind,
            resource_status=f"{doing}_FAILED",
            resource_status_reason=reason,
            resource_properties=None,
        )
        stack.events.append(event)
        raise StackFailed(f"{name}: {reason}") from error


def _end(stack: Stack, status: str, reason: str | None = None) -> None:
    stack.status = status
    # DescribeStacks tells it; moto's stacks have no field for it.
    vars(stack)["status_reason"] = reason or None
    stack._add_stack_event(status, resource_status_reason=reason or None)


def _applied(stack: Stack) -> dict[str, Applied]:
    """Return the stack's resources as they stand, in the order in which they were created."""
    found: dict[str, Applied] = vars(stack).setdefault("applied", {})
    return found
