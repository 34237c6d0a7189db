"""
A resource type that moto's CloudFormation lacks or plays wrongly, played through the public API.

A direct subclass of moto's CloudFormationModel is found by its type; of two, the later one wins.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from moto.cloudformation import parsing

Client = Callable[[str], Any]
_client: Client | None = None


def install(client: Client) -> None:
    """Let the types call the local AWS through `client(service)`, and moto find them."""
    global _client
    _client = client
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


def api(service: str) -> Any:
    """Return a client of the local AWS."""
    if _client is None:
        raise RuntimeError("the patches are not installed: call install first")
    return _client(service)


class Resource:
    """
    What the types share: `make` creates the resource, `change` alters it, `remove` deletes it.

    `failure` says why the resource is not as its properties want it; None when it is.
    """

    TYPE: ClassVar[str]
    NAME_PROPERTY: ClassVar[str] = ""
    ATTRIBUTES: ClassVar[tuple[str, ...]] = ()
    # Properties that cannot change: another value is another resource.
    FIXED: ClassVar[tuple[str, ...]] = ()

    failure: str | None = None
    cf_resource_type: str
    logical_resource_id: str

    def __init__(self, name: str, properties: Mapping[str, Any]) -> None:
        self.name = name
        self.properties = dict(properties)
        self.attributes = self.make(dict(properties))

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Create the resource; the result's "Ref" and further entries answer the intrinsics."""
        raise NotImplementedError

    def change(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Give the resource other properties; what one call creates and alters needs no more."""
        return self.make(properties)

    def remove(self) -> None:
        """Delete the resource; one that was only accepted leaves nothing to delete."""

    @property
    def physical_resource_id(self) -> str:
        """What Ref gives."""
        return self.attributes.get("Ref", self.name)

    def get_cfn_attribute(self, attribute: str) -> str:
        """Return what Fn::GetAtt gives."""
        return self.attributes[attribute]

    def is_created(self) -> bool:
        """Return True: the API calls above have returned."""
        return True

    @classmethod
    def has_cfn_attr(cls, attribute: str) -> bool:
        """Say whether Fn::GetAtt knows an attribute."""
        return attribute in cls.ATTRIBUTES

    @classmethod
    def cloudformation_type(cls) -> str:
        """Return the type in templates."""
        return cls.TYPE

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """Return the property that holds the resource's name."""
        return cls.NAME_PROPERTY

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> "Resource":
        """Create the resource that a template describes, under its explicit name if it has one."""
        properties = cloudformation_json["Properties"]
        return cls(properties.get(cls.NAME_PROPERTY, resource_name), properties)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: "Resource",
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "Resource":
        """Change the resource to what a template describes."""
        properties = cloudformation_json["Properties"]
        original_resource.attributes = original_resource.change(dict(properties))
        original_resource.properties = dict(properties)
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> None:
        """Do nothing: `remove` does it."""
