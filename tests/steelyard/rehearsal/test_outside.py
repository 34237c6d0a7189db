"""What somebody deploys: the same assembly with other instance counts, signed anew."""

from steelyard.rehearsal.outside import changed
from tests.steelyard.rehearsal.local import assembly

CONFIG = {
    "Type": "AWS::SageMaker::EndpointConfig",
    "Properties": {"ProductionVariants": [{"VariantName": "v", "InitialInstanceCount": 2}]},
}
GUARD = {"Type": "Custom::Guard", "Properties": {"Hash": "abc", "Role": "take"}}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}


def test_a_changed_assembly_has_one_instance_more_and_another_hash() -> None:
    before = assembly({"Config": CONFIG, "Guard": GUARD, "Topic": TOPIC})

    (stack,) = changed(before).stacks

    resources = stack.resources()
    (variant,) = resources["Config"]["Properties"]["ProductionVariants"]
    assert variant["InitialInstanceCount"] == 3
    assert resources["Guard"]["Properties"] == {"Hash": "abc-changed", "Role": "take"}
    assert resources["Topic"] == TOPIC
    assert CONFIG["Properties"]["ProductionVariants"][0]["InitialInstanceCount"] == 2


def test_a_stack_without_an_endpoint_config_is_not_touched() -> None:
    before = assembly({"Guard": GUARD, "Topic": TOPIC})

    assert changed(before).stacks == before.stacks
