"""What a client gets of a container's answer, and what the container gets of a request."""

import json

from moto.sagemakerruntime.models import sagemakerruntime_backends

from steelyard.rehearsal.containers import Reply
from steelyard.rehearsal.runtime import largest_body
from tests.steelyard.rehearsal.local import ACCOUNT, REGION
from tests.steelyard.rehearsal.runtime.served import RECORD, Fixed, Served, held_out, scores
from tests.steelyard.rehearsal.two_versions import CHAMPION


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
