"""What is remembered of moto is what moto would have worked out."""

from inspect import isgeneratorfunction
from typing import Any, ClassVar

import pytest
from moto import backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core import responses
from moto.core.serialize import AttributePicker, AttributePickerContext, XFormedAttributePicker
from moto.core.utils import get_service_model
from moto.dynamodb.comparisons import ConditionExpressionParser

from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.moto_patches import once


class MetricAlarm:
    """An object whose class is named as the shape of an alarm is."""

    class Meta:
        """Names its attributes have."""

        serialization_aliases: ClassVar = {"StateValue": "state"}


def members() -> dict[str, Any]:
    model = get_service_model("cloudwatch")
    shape = model.shape_for("MetricAlarm")
    return dict(shape.members)


def test_services_and_methods_are_moto_s(aws: LocalAws) -> None:
    assert set(backends.list_of_moto_modules()) == set(once._modules())
    found = vars(responses)["method_names_from_class"](CloudWatchResponse)
    assert set(found) == set(once._methods(CloudWatchResponse))


@pytest.mark.parametrize("kind", [AttributePicker, XFormedAttributePicker])
@pytest.mark.parametrize("holder", [{}, MetricAlarm()])
def test_attributes_are_looked_for_under_moto_s_names_whatever_was_asked_before(
    aws: LocalAws, kind: type[AttributePicker], holder: Any
) -> None:
    picker = kind()
    for name, shape in members().items():
        others: list[Any] = [MetricAlarm(), {}, holder]
        for other in others:
            context = AttributePickerContext(obj=other, key=name, shape=shape)
            found = list(picker.get_possible_keys(context))
        assert found == list(once._names[kind](picker, context))


def test_a_condition_is_read_as_moto_reads_it_also_the_second_time(aws: LocalAws) -> None:
    text = "attribute_not_exists(pk) OR (#phase IN (:a, :b) AND #seq = :seq)"
    parser = ConditionExpressionParser(text, {}, {})

    first, second = parser._lex_condition_expression(), parser._lex_condition_expression()

    first.clear()
    assert second == once._words(parser)


def test_moto_still_works_it_out_anew_each_time() -> None:
    anew = isgeneratorfunction(once._modules), all(map(isgeneratorfunction, once._names.values()))

    assert anew == (True, True), "moto remembers its services or names now: remove that patch"
    assert not hasattr(once._methods, "cache_info"), "moto remembers its methods: remove that patch"
