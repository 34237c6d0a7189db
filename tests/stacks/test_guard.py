"""The guards: asked before anything changes, told after, and called whenever the stack changes."""

import json
from dataclasses import replace

import pytest

from stacks.guard import digest
from tests.stacks.synthesis import example, synthesise, templates

GUARDED = ("monitoring", "endpoint")


def guards(found, stack):
    """Return a stack's take and give."""
    by_role = {
        it["Properties"]["Role"]: it for it in found.resources(stack, "Custom::Guard").values()
    }
    assert set(by_role) == {"take", "give"}
    return by_role["take"], by_role["give"]


def named(found, stack):
    take, give = guards(found, stack)
    assert take["Properties"]["Hash"] == give["Properties"]["Hash"]
    return take["Properties"]["Hash"]


def without_guard(text):
    """Return a template as it is without its guard."""
    template = json.loads(text)
    kept = {key: it for key, it in template["Resources"].items() if it["Type"] != "Custom::Guard"}
    for resource in kept.values():
        left = [it for it in resource.pop("DependsOn", []) if it in kept]
        resource |= {"DependsOn": left} if left else {}
    return {**template, "Resources": kept}


@pytest.mark.parametrize("stack", GUARDED)
def test_every_other_resource_waits_for_the_take_and_the_give_for_every_other(stack):
    found = templates().resources(stack)
    (take,) = [key for key, it in found.items() if it["Properties"].get("Role") == "take"]
    (give,) = [key for key, it in found.items() if it["Properties"].get("Role") == "give"]

    for key, resource in found.items():
        assert key == take or take in resource["DependsOn"], key
    assert set(found[give]["DependsOn"]) == set(found) - {give}
    assert "DependsOn" not in found[take]


@pytest.mark.parametrize("stack", GUARDED)
def test_a_guard_names_the_content_of_its_template_without_itself(stack):
    assert named(templates(), stack) == digest(without_guard(templates().text[stack]))


def test_the_stack_that_touches_no_endpoint_has_no_guard():
    assert templates().resources("control", "Custom::Guard") == {}


def test_a_second_synthesis_names_the_same():
    again = synthesise(example())

    assert again.text == templates().text


def changed(**alarms):
    limits = example().file.alarms.model_copy(update=alarms)
    file = example().file.model_copy(update={"alarms": limits})
    return synthesise(replace(example(), file=file))


@pytest.mark.parametrize(
    ("change", "moved"),
    [({"error_rate": 0.2}, {"monitoring"}), ({"latency_p99": 0.25}, {"monitoring", "endpoint"})],
)
def test_a_change_moves_the_guards_of_the_stacks_that_it_changes_and_no_other(change, moved):
    found = changed(**change)

    assert {it for it in GUARDED if named(found, it) != named(templates(), it)} == moved


@pytest.mark.parametrize("stack", GUARDED)
def test_an_override_is_told_to_the_guard_and_is_not_content(stack):
    found = synthesise(example(), override="ada: the fix of incident 7")

    take, give = guards(found, stack)
    assert take["Properties"]["Override"] == "ada: the fix of incident 7"
    assert "Override" not in give["Properties"]
    assert "Override" not in guards(templates(), stack)[0]["Properties"]
    assert named(found, stack) == named(templates(), stack)


@pytest.mark.parametrize("stack", GUARDED)
def test_a_guard_that_never_answers_does_not_hold_a_deployment_for_an_hour(stack):
    for guard in guards(templates(), stack):
        assert int(guard["Properties"]["ServiceTimeout"]) <= 300
        assert guard["Properties"]["Stack"] == f"tumour-classifier-staging-{stack}"
