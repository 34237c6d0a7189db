"""The model artefact: a version's folder as the archive that SageMaker unpacks at /opt/ml/model."""

import gzip
import io
import tarfile
from pathlib import Path


def write_artifact(folder: Path, archive: Path) -> None:
    """
    Write a folder as model.tar.gz, the same bytes for the same files.

    SageMaker wants the files at the archive's root (API reference, ContainerDefinition).
    """
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = path.stat().st_size
            member.mode = 0o644
            with path.open("rb") as content:
                tar.addfile(member, content)
    # A fixed time and no name in the header: both would change the digest, and so the asset.
    archive.write_bytes(gzip.compress(plain.getvalue(), mtime=0))
