"""The app: which endpoints, environments and challengers are synthesised, and what is refused."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CLASSIFIER = ROOT / "endpoints" / "tumour-classifier"


@pytest.fixture
def app(tmp_path):
    """Run the app with a context; give exit code, complaints and output folder."""

    def run(**context):
        process = subprocess.run(
            [sys.executable, str(ROOT / "app.py")],
            env=os.environ
            | {
                "CDK_OUTDIR": str(tmp_path / "cdk.out"),
                "CDK_CONTEXT_JSON": json.dumps(context),
                "CDK_VALIDATION": "false",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in process.stderr.splitlines() if not line.startswith("b'!!")]
        return process.returncode, "\n".join(lines), tmp_path / "cdk.out"

    return run


def test_one_endpoint_in_one_environment_with_another_challenger_in_spite_of_a_rollout(app):
    code, said, output = app(
        endpoints=str(CLASSIFIER.parent),
        endpoint="tumour-classifier",
        environment="production",
        challenger="v1-2-0",
        override="ada: the fix of incident 7",
    )

    assert (code, said) == (0, "")
    assert [path.name for path in output.glob("assembly-*")] == [
        "assembly-tumour-classifier-production"
    ]
    (template,) = output.glob("*/*endpoint*.template.json")
    resources = json.loads(template.read_text("utf-8"))["Resources"].values()
    (config,) = [it for it in resources if it["Type"] == "AWS::SageMaker::EndpointConfig"]
    weights = {
        variant["VariantName"]: variant["InitialVariantWeight"]
        for variant in config["Properties"]["ProductionVariants"]
    }
    assert weights == {"v1-0-0": 1, "v1-2-0": 0}
    guards = [it["Properties"] for it in resources if it["Type"] == "Custom::Guard"]
    assert [it["Override"] for it in guards if it["Role"] == "take"] == [
        "ada: the fix of incident 7"
    ]


@pytest.fixture
def endpoints(tmp_path):
    """Give a folder of endpoints whose only file has two mistakes."""
    folder = tmp_path / "endpoints" / "tumour-classifier"
    shutil.copytree(CLASSIFIER, folder)
    path = folder / "endpoint.yaml"
    text = path.read_text("utf-8").replace("weight: 25", "weight: 2").replace("soak:", "soap:")
    path.write_text(text, "utf-8")
    return folder.parent


def test_every_mistake_in_a_file_is_said_and_nothing_else(app, endpoints):
    code, said, _ = app(endpoints=str(endpoints))

    assert code == 2
    assert "soap" in said
    assert "rollout.steps[1].weight" in said
    assert "Traceback" not in said


def test_every_unusable_folder_is_named_at_once_and_nothing_is_written(app, endpoints):
    shutil.copytree(endpoints / "tumour-classifier", endpoints / "another")

    code, said, output = app(endpoints=str(endpoints))

    assert code == 2
    assert "tumour-classifier cannot be used" in said
    assert "another cannot be used" in said
    assert not output.exists()


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"environment": "moon"}, "environment moon: the file names staging, production"),
        ({"endpoint": "nobody"}, "endpoints/nobody cannot be used"),
        ({"endpoints": str(ROOT / "docs")}, "holds no folder with an endpoint.yaml"),
        ({"challenger": "v1-0-0"}, "challenger v1-0-0"),
        ({"override": "yes"}, "override: given 'yes', allowed is who wants it and why: write for"),
        ({"override": ""}, "override: given '', allowed is who wants it and why: write for"),
        ({"override": "ada: "}, "override: given 'ada: ', allowed is who wants it and why"),
    ],
)
def test_a_context_that_names_nothing_is_refused_in_one_sentence(app, context, sentence):
    code, said, _ = app(**context)

    assert code == 2
    assert sentence in said
    assert "Traceback" not in said
