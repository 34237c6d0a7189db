"""InvokeEndpoint as clients see it: boto3, the local AWS, and the containers of real versions."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.sagemakerruntime.models import sagemakerruntime_backends

from steelyard.rehearsal import fleet
from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.containers import UNANSWERED, Container, Reply
from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.faults import IMAGE
from steelyard.rehearsal.local_aws import LocalAws, local_aws
from steelyard.rehearsal.metrics import MetricStore
from steelyard.rehearsal.router import Router
from steelyard.rehearsal.runtime import NO_ANSWER, largest_body
from tests.steelyard.rehearsal.local import ACCOUNT, REGION, assembly
from tests.steelyard.rehearsal.two_versions import CHALLENGER, CHAMPION, FOLDER, NAME, template

START = 1_800_000_000.0
LOG = f"/aws/sagemaker/Endpoints/{NAME}"


@dataclass
class Served:
    """An endpoint that is deployed and served, and what it has left in the metrics."""

    aws: LocalAws
    containers: Mapping[str, Container]
    store: MetricStore

    def invoke(self, body: bytes | str, endpoint: str = NAME, **parameters: str) -> Any:
        client = self.aws.client("sagemaker-runtime")
        answer = client.invoke_endpoint(EndpointName=endpoint, Body=body, **parameters)
        return answer | {"Body": answer["Body"].read()}

    def refusal(self, body: bytes | str, endpoint: str = NAME, **parameters: str) -> Any:
        with pytest.raises(ClientError) as refusal:
            self.invoke(body, endpoint, **parameters)
        return refusal.value.response

    def counted(self, variant: str) -> dict[str, float]:
        dimensions = {"EndpointName": NAME, "VariantName": variant}
        names = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")
        found = {
            name: self.store.statistic("AWS/SageMaker", name, dimensions, "Sum", 0, 2 * START)
            for name in (*names, "InvocationModelErrors")
        }
        return {name: value or 0.0 for name, value in found.items()}

    def route(self, containers: Mapping[str, Any], **shares: float) -> None:
        """Let other containers answer, by fixed shares where they are given."""
        live = {name.replace("_", "-"): share for name, share in shares.items()}
        self.aws.runtime.route(
            NAME,
            Router(
                NAME,
                containers,
                lambda: live or self.aws.endpoints.shares(NAME),
                lambda: self.aws.clock.now,
                self.store,
                seed=7,
            ),
        )


@dataclass
class Fixed:
    """A container that always answers the same, and keeps what it got."""

    reply: Reply

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        self.got = body, headers
        return self.reply


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("runtime")
    with (
        Clock(START) as clock,
        local_aws(clock, ACCOUNT, REGION, folder / "aws") as aws,
    ):
        resources, assets = template(folder)
        aws.deploy(assembly(resources, assets))
        containers = fleet.start(aws, NAME, folder / "containers", lambda _: IMAGE)
        clock.advance(aws.endpoints.get(NAME).settles_at() - clock.now)
        try:
            yield Served(aws, containers, MetricStore())
        finally:
            for container in containers.values():
                container.close()


@pytest.fixture
def served(standing: Served) -> Served:
    """The endpoint with all weight on the champion, and nothing counted yet."""
    standing.store = MetricStore()
    standing.route(standing.containers)
    return standing


def held_out(count: int) -> list[dict[str, float]]:
    with (FOLDER / "heldout.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(count), strict=False)]
    return [{name: float(text) for name, text in row.items() if name != "label"} for row in rows]


RECORD = json.dumps(held_out(1)[0])


def scores(body: bytes) -> list[float]:
    return [prediction["score"] for prediction in json.loads(body)["predictions"]]


def test_moto_still_answers_for_endpoints_that_are_not_there() -> None:
    backend = sagemakerruntime_backends[ACCOUNT][REGION]

    assert backend.invoke_endpoint("nowhere", b"")[0] == "body", "moto checks now: look again"


def test_the_variant_that_has_the_weight_answers(served: Served) -> None:
    answer = served.invoke(RECORD, ContentType="application/json")

    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == CHAMPION
    assert answer["CustomAttributes"].startswith("request_id=")
    assert json.loads(answer["Body"])["model_version"] == "1.0.0"


def test_json_lines_and_csv_get_the_scores_that_json_gets(served: Served) -> None:
    records = held_out(3)
    bodies = {
        "application/json": json.dumps({"instances": records}),
        "application/jsonlines": "\n".join(map(json.dumps, records)),
        "text/csv": "\n".join(",".join(map(str, record.values())) for record in records),
    }

    answers = {kind: served.invoke(body, ContentType=kind) for kind, body in bodies.items()}

    expected = scores(answers["application/json"]["Body"])
    assert len(expected) == 3
    assert all(scores(answer["Body"]) == expected for answer in answers.values())


def test_accept_reaches_the_container_and_its_content_type_comes_back(served: Served) -> None:
    json_kind = {"ContentType": "application/json"}

    lines = served.invoke(RECORD, Accept="application/jsonlines", **json_kind)
    table = served.invoke(RECORD, Accept="text/csv", **json_kind)

    assert lines["ContentType"] == "application/jsonlines"
    assert table["ContentType"].startswith("text/csv")
    assert float(table["Body"].split(b",")[0]) == json.loads(lines["Body"])["score"]


def test_custom_attributes_ask_for_an_explanation(served: Served) -> None:
    answer = served.invoke(RECORD, ContentType="application/json", CustomAttributes="explain=true")

    (prediction,) = json.loads(answer["Body"])["predictions"]
    assert prediction["explanation"]["contributions"].keys() == json.loads(RECORD).keys()


def test_the_inference_id_is_in_the_containers_record(served: Served) -> None:
    served.invoke(RECORD, ContentType="application/json", InferenceId="caller-17")

    written = served.containers[CHAMPION].log.read_text("utf-8").splitlines()
    ids = [json.loads(line).get("inference_id") for line in written if line.startswith("{")]
    assert "caller-17" in ids


def test_only_the_apis_own_headers_reach_the_container_and_the_body_is_unchanged(
    served: Served,
) -> None:
    container = Fixed(Reply(200, b"\x00\xff", {}))
    served.route({CHAMPION: container})

    answer = served.invoke(
        b"\xff\r\n\x00",
        Accept="a/b",
        CustomAttributes="c=d",
        InferenceId="e",
        TargetVariant=CHAMPION,
    )

    assert container.got == (
        b"\xff\r\n\x00",
        {
            "Accept": "a/b",
            "X-Amzn-SageMaker-Custom-Attributes": "c=d",
            "X-Amzn-SageMaker-Inference-Id": "e",
        },
    )
    assert (answer["Body"], answer["CustomAttributes"]) == (b"\x00\xff", "")


def test_a_bad_record_is_a_model_error_with_the_containers_own_words(served: Served) -> None:
    record = json.loads(RECORD) | {"mean_radius": "wide"}

    response = served.refusal(json.dumps(record), ContentType="application/json")

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 422
    (problem,) = json.loads(response["OriginalMessage"])["errors"]
    assert problem["field"] == "mean_radius"
    assert response["LogStreamArn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{LOG}"
    assert response["Error"]["Message"] == (
        f'Received client error (422) from primary with message "{response["OriginalMessage"]}". '
        f"See https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
        f"#logEventViewer:group={LOG} in account {ACCOUNT} for more information."
    )


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 429, 500, 503])
def test_any_answer_but_200_is_a_model_error(served: Served, status: int) -> None:
    served.route({CHAMPION: Fixed(Reply(status, b"why \xff", {}))})

    response = served.refusal(b"")

    whose = "client" if 400 <= status < 500 else "server"
    assert response["Error"]["Message"].startswith(f"Received {whose} error ({status}) from ")
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (status, "why \ufffd")


def test_no_answer_at_all_is_a_model_error_of_status_0(served: Served) -> None:
    dead = Container(CHAMPION, "i", 1, served.containers[CHAMPION].process, Path())
    with closing(dead.pool):
        served.route({CHAMPION: dead})

        response = served.refusal(RECORD)

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == UNANSWERED
    assert response["OriginalMessage"] == NO_ANSWER


def test_the_target_variant_goes_before_the_weights(served: Served) -> None:
    answer = served.invoke(RECORD, ContentType="application/json", TargetVariant=CHALLENGER)

    assert answer["InvokedProductionVariant"] == CHALLENGER
    assert json.loads(answer["Body"])["model_version"] == "1.1.0"
    assert served.counted(CHALLENGER)["Invocations"] == 1


def chosen(served: Served, count: int) -> list[str]:
    return [served.invoke(b"")["InvokedProductionVariant"] for _ in range(count)]


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


def test_invocations_leave_the_native_metrics_and_refusals_leave_none(served: Served) -> None:
    served.invoke(RECORD, ContentType="application/json")
    served.refusal("{}", ContentType="application/json")
    served.refusal(RECORD, TargetVariant="v9-9-9")
    served.refusal(RECORD, TargetModel="m")

    assert served.counted(CHAMPION) == {
        "Invocations": 2,
        "Invocation4XXErrors": 1,
        "Invocation5XXErrors": 0,
        "InvocationModelErrors": 1,
    }


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


def test_an_endpoint_without_containers_is_refused_by_name(served: Served) -> None:
    with another(served, created(served.aws.clock.now - 9000)) as name:
        response = served.refusal(RECORD, endpoint=name)

    assert response["Error"]["Message"] == "No container was started for endpoint other."


def test_a_variant_that_is_not_there_is_refused_by_name(served: Served) -> None:
    response = served.refusal(RECORD, TargetVariant="v9-9-9")

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationError"
    assert response["Error"]["Message"] == f"Variant v9-9-9 of endpoint {NAME} not found."


@pytest.mark.parametrize(
    "parameter",
    [
        "TargetModel",
        "TargetContainerHostname",
        "EnableExplanations",
        "InferenceComponentName",
        "SessionId",
        "PrefixAwareId",
    ],
)
def test_what_is_for_other_kinds_of_endpoints_is_refused(served: Served, parameter: str) -> None:
    response = served.refusal(RECORD, **{parameter: "x"})

    assert response["Error"]["Code"] == "ValidationError"
    assert f"does not support {parameter}: " in response["Error"]["Message"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"CustomAttributes": "é"}, "'customAttributes' .* regular expression pattern: "),
        ({"CustomAttributes": "a" * 1025}, "'customAttributes' .* length less .* 1024$"),
        ({"ContentType": "a" * 1025}, "'contentType' .* length less .* 1024$"),
        ({"Accept": "a" * 1025}, "'accept' .* length less .* 1024$"),
        ({"InferenceId": "i" * 65}, "'inferenceId' .* length less .* 64$"),
        ({"TargetVariant": "not_a_name"}, "'targetVariant' .* regular expression pattern: "),
        ({"TargetVariant": "v" * 64}, "'targetVariant' .* length less .* 63$"),
        ({"endpoint": "not_a_name"}, "'endpointName' .* regular expression pattern: "),
        ({"endpoint": "e" * 64}, "'endpointName' .* length less .* 63$"),
    ],
)
def test_parameters_outside_of_their_shapes_are_refused_without_a_word_of_theirs(
    served: Served, parameters: dict[str, str], said: str
) -> None:
    with pytest.raises(ClientError, match=said) as refusal:
        served.invoke(RECORD, **parameters)

    error = refusal.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert error["Message"].startswith("1 validation error detected: ")
    assert not any(value in error["Message"] for value in parameters.values())


def test_every_parameter_outside_of_its_shape_is_named(served: Served) -> None:
    message = served.refusal(RECORD, InferenceId="i" * 65, Accept="a" * 1025)["Error"]["Message"]

    assert message.startswith("2 validation errors detected: ")
    assert "'inferenceId'" in message
    assert "'accept'" in message


def test_parameters_of_the_greatest_length_are_accepted(served: Served) -> None:
    served.route({CHAMPION: Fixed(Reply(200, b"", {}))})

    answer = served.invoke(b"", CustomAttributes="a" * 1024, InferenceId="i" * 64)

    assert answer["InvokedProductionVariant"] == CHAMPION


def test_a_body_of_the_greatest_size_is_passed_on_and_a_greater_one_is_refused(
    served: Served,
) -> None:
    container = Fixed(Reply(200, b"", {}))
    served.route({CHAMPION: container})
    greatest = b" " * largest_body()

    served.invoke(greatest)
    response = served.refusal(greatest + b" ")

    assert container.got[0] == greatest
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert response["Error"]["Code"] == "413"
    assert response["Error"]["Message"] == "HTTP content length exceeded 6291456 bytes."
    assert served.counted(CHAMPION)["Invocations"] == 1


def test_a_streamed_and_an_asynchronous_answer_are_refused(served: Served) -> None:
    client = served.aws.client("sagemaker-runtime")

    with pytest.raises(ClientError, match=r"ValidationError.*async-invocations is not played"):
        client.invoke_endpoint_async(EndpointName=NAME, InputLocation="s3://b/k")
    with pytest.raises(ClientError, match=r"ValidationError.*response-stream is not played"):
        client.invoke_endpoint_with_response_stream(EndpointName=NAME, Body=RECORD)


def test_the_client_of_a_user_retries_no_model_error(served: Served) -> None:
    container = Fixed(Reply(500, b"", {}))
    served.route({CHAMPION: container})
    client = boto3.client(
        "sagemaker-runtime",
        region_name=REGION,
        endpoint_url=served.aws.url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(proxies={}),
    )

    with pytest.raises(client.exceptions.ModelError) as error:
        client.invoke_endpoint(EndpointName=NAME, Body=b"")

    assert error.value.response["OriginalStatusCode"] == 500
    assert served.counted(CHAMPION)["Invocations"] == 1
