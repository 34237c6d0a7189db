"""The whole assembly, as other processes make it: valid, the same bytes again, and small."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile

import pytest

from tests.stacks.synthesis import ROOT


def app(output, **environment):
    """Run the app in a process of its own; return what it left, by path."""
    process = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "CDK_OUTDIR": str(output),
            **environment,
        },
        cwd=output.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Give every file of the app's output, made without CDK's own validation."""
    output = tmp_path_factory.mktemp("first") / "cdk.out"
    return app(output, CDK_VALIDATION="false", PYTHONHASHSEED="1")


def test_cdk_finds_no_fault_and_another_process_elsewhere_makes_the_same_bytes(files, tmp_path):
    again = app(tmp_path / "assembly", PYTHONHASHSEED="2", TZ="Asia/Tokyo", USER="somebody")

    report = json.loads(again.pop("validation-report.json"))
    findings = [it for plugin in report["pluginReports"] for it in plugin["violations"]]
    assert findings == []
    assert sorted(again) == sorted(files)
    assert [name for name in files if again[name] != files[name]] == []


def test_nothing_is_looked_up_in_an_account(files):
    manifests = [json.loads(it) for name, it in files.items() if name.endswith("manifest.json")]

    assert manifests
    assert all(not manifest.get("missing") for manifest in manifests)
    environments = {
        artifact["environment"]
        for manifest in manifests
        for artifact in manifest["artifacts"].values()
        if "environment" in artifact
    }
    assert environments == {
        "aws://111122223333/eu-central-1",
        "aws://444455556666/eu-central-1",
    }


def test_no_path_of_this_machine_is_in_what_is_deployed(files):
    for name, content in files.items():
        assert str(ROOT).encode() not in content, name


def test_an_asset_holds_lambdas_and_core_alone_and_is_small_enough_to_start_at_once(files):
    assets: dict[str, list[str]] = {}
    for name in files:
        if name.startswith("asset.") and name.endswith(".py"):
            assets.setdefault(name.split("/")[0], []).append(name)

    assert assets
    for names in assets.values():
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in names:
                packed.writestr(name.split("/", 1)[1], files[name])
        inside = [name.split("/", 1)[1] for name in names]
        assert all(
            name == "steelyard/__init__.py" or name.startswith(("lambdas/", "steelyard/rollout/"))
            for name in inside
        )
        # What comes home at once must start at once; the judge brings its statistics.
        limit = 80_000 if "steelyard/rollout/judge.py" in inside else 50_000
        assert len(archive.getvalue()) < limit, inside


def test_both_environments_are_the_same_but_for_their_place_and_name(files):
    def neutral(environment, account):
        return {
            re.sub(r'"Hash": "\w{64}"', "HASH", json.dumps(json.loads(it), sort_keys=True))
            .replace(environment, "ENVIRONMENT")
            .replace(account, "ACCOUNT")
            for name, it in files.items()
            if name.startswith(f"assembly-tumour-classifier-{environment}/")
            and "monitoring" in name
            and name.endswith(".template.json")
        }

    assert neutral("staging", "111122223333") == neutral("production", "444455556666")
