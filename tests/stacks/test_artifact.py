"""The model artefact: the same bytes for the same files, as SageMaker wants them."""

import os
import tarfile

import pytest
import time_machine

from stacks.artifact import write_artifact


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "v1-0-0"
    (root / "extra").mkdir(parents=True)
    for name, content in (("model.onnx", b"m" * 2000), ("manifest.json", b"{}"), ("extra/x", b"x")):
        (root / name).write_bytes(content)
    return root


def archived(folder, name):
    path = folder.parent / name
    write_artifact(folder, path)
    return path


def test_the_files_lie_at_the_archive_s_root_with_their_content(folder):
    with tarfile.open(archived(folder, "a.tar.gz")) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}

    assert found == {"model.onnx": b"m" * 2000, "manifest.json": b"{}", "extra/x": b"x"}


def test_neither_times_nor_modes_nor_names_change_its_bytes(folder):
    before = archived(folder, "a.tar.gz").read_bytes()
    os.utime(folder / "model.onnx", (1, 1))
    (folder / "manifest.json").chmod(0o600)

    with time_machine.travel(0):
        again = archived(folder, "b.tar.gz").read_bytes()

    assert again == before


def test_another_content_is_another_archive(folder):
    before = archived(folder, "a.tar.gz").read_bytes()
    (folder / "extra" / "x").write_bytes(b"y")

    assert archived(folder, "b.tar.gz").read_bytes() != before
