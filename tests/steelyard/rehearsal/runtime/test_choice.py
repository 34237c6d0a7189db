"""Which variant answers, and which endpoints take requests at all."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from steelyard.rehearsal.containers import Reply
from steelyard.rehearsal.endpoint_model import EndpointModel
from tests.steelyard.rehearsal.local import ACCOUNT
from tests.steelyard.rehearsal.runtime.served import RECORD, Fixed, Served, chosen
from tests.steelyard.rehearsal.two_versions import CHALLENGER, CHAMPION, NAME


def test_the_target_variant_goes_before_the_weights(served: Served) -> None:
    answer = served.invoke(RECORD, ContentType="application/json", TargetVariant=CHALLENGER)

    assert answer["InvokedProductionVariant"] == CHALLENGER
    assert json.loads(answer["Body"])["model_version"] == "1.1.0"
    assert served.counted(CHALLENGER)["Invocations"] == 1


def test_weights_are_respected_and_a_weight_of_0_is_never_chosen(served: Served) -> None:
    containers = {name: Fixed(Reply(200, b"", {})) for name in (CHAMPION, CHALLENGER)}
    served.route(containers, v1_0_0=0.8, v1_1_0=0.2)
    split = Counter(chosen(served, 200))

    served.route(containers)

    assert 25 <= split[CHALLENGER] <= 55
    assert served.counted(CHALLENGER)["Invocations"] == split[CHALLENGER]
    assert set(chosen(served, 100)) == {CHAMPION}


def test_the_same_seed_chooses_the_same_variants(served: Served) -> None:
    containers = {name: Fixed(Reply(200, b"", {})) for name in (CHAMPION, CHALLENGER)}
    runs = []
    for _ in range(2):
        served.route(containers, v1_0_0=0.5, v1_1_0=0.5)
        runs.append(chosen(served, 30))

    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 2


def test_an_endpoint_that_is_being_updated_serves_by_the_weights_in_force(served: Served) -> None:
    before = served.aws.endpoints.models[NAME]
    served.aws.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[
            {"VariantName": CHAMPION, "DesiredWeight": 0},
            {"VariantName": CHALLENGER, "DesiredWeight": 1},
        ],
    )
    try:
        during = chosen_by_real_weights(served)
    finally:
        served.aws.endpoints.models[NAME] = before

    assert during == {CHAMPION}


def chosen_by_real_weights(served: Served) -> set[str]:
    served.route({name: Fixed(Reply(200, b"", {})) for name in (CHAMPION, CHALLENGER)})
    return set(chosen(served, 20))


@contextmanager
def another(served: Served, model: EndpointModel) -> Iterator[str]:
    """An endpoint beside the one that is served."""
    served.aws.endpoints.models[model.name] = model
    try:
        yield model.name
    finally:
        del served.aws.endpoints.models[model.name]


def created(at: float, failure: str | None = None) -> EndpointModel:
    variants = [{"VariantName": "v", "InitialInstanceCount": 1}]
    return EndpointModel.create("other", "c", variants, at, failure_reason=failure)


def test_an_endpoint_that_is_not_there_is_refused_as_sagemaker_says_it(served: Served) -> None:
    response = served.refusal(RECORD, endpoint="theirs")

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == f"Endpoint theirs of account {ACCOUNT} not found."


def test_an_endpoint_that_was_deleted_is_not_found(served: Served) -> None:
    now = served.aws.clock.now
    with another(served, created(now - 9000).delete(now - 8000)) as name:
        response = served.refusal(RECORD, endpoint=name)

    assert response["Error"]["Message"] == f"Endpoint other of account {ACCOUNT} not found."


@pytest.mark.parametrize("status", ["Creating", "Failed", "Deleting"])
def test_an_endpoint_that_is_not_in_service_takes_no_request(served: Served, status: str) -> None:
    now = served.aws.clock.now
    model = {
        "Creating": created(now),
        "Failed": created(now - 9000, "no image"),
        "Deleting": created(now - 9000).delete(now),
    }[status]
    with another(served, model) as name:
        response = served.refusal(RECORD, endpoint=name)

    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == f"Endpoint other takes no request: {status}."


def test_an_endpoint_without_containers_is_refused_by_name(served: Served) -> None:
    with another(served, created(served.aws.clock.now - 9000)) as name:
        response = served.refusal(RECORD, endpoint=name)

    assert response["Error"]["Message"] == "No container was started for endpoint other."


def test_a_variant_that_is_not_there_is_refused_by_name(served: Served) -> None:
    response = served.refusal(RECORD, TargetVariant="v9-9-9")

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == f"Variant v9-9-9 of endpoint {NAME} not found."
