"""An endpoint's folder: its file, its versions and its held-out rows, checked together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from steelyard.rollout.policy import Expected, Policy
from steelyard.spec.comparison import (
    difference,
    edge_problems,
    metric_problems,
    task_differences,
    tolerance_problems,
)
from steelyard.spec.document import Document, read_yaml
from steelyard.spec.endpoint import EndpointFile, HeldOut, Scenario, Variant
from steelyard.spec.manifest import Manifest
from steelyard.spec.parse import parse, usable
from steelyard.spec.part import VERSION
from steelyard.spec.relations import Check, items, relations, section
from steelyard.spec.rows import Row, read_rows
from steelyard.spec.version import check_version

FILE_NAME = "endpoint.yaml"


class SpecError(ValueError):
    """An endpoint's folder cannot be used; `problems` says every reason."""

    def __init__(self, folder: Path, problems: Sequence[str]) -> None:
        self.folder = folder
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{folder} cannot be used:\n{listed}")


@dataclass(frozen=True)
class Endpoint:
    """A valid endpoint folder; `rows` are the held-out ones, each a record and its label."""

    folder: Path
    document: Document
    file: EndpointFile
    manifests: Mapping[str, Manifest]
    rows: tuple[Row, ...]

    @property
    def champion(self) -> Variant:
        """The variant that serves now."""
        return self.file.champion

    @property
    def challenger(self) -> Variant:
        """
        The variant on trial.

        Raises SpecError when the file names none.
        """
        if self.file.challenger is None:
            raise SpecError(
                self.folder,
                [
                    f"{self.document.at('variants')}: given none with the role challenger, "
                    f"allowed is one where a rollout is meant: give it to the version on trial"
                ],
            )
        return self.file.challenger

    def versions(self) -> list[str]:
        """Return the variants' names, oldest version first."""
        names = [variant.version for variant in self.file.variants]
        return sorted(names, key=lambda name: [int(part) for part in name[1:].split("-")])

    def with_challenger(self, version: str) -> "Endpoint":
        """
        Return the endpoint with another version on trial.

        It runs on the instances that the file gives its challenger, or else its champion.
        Raises SpecError when the version's folder is missing, unusable or cannot be compared.
        """
        manifests = {**self.manifests, **self._newcomer(version)}
        pattern = self.file.challenger or self.champion
        role = "challenger" if self.file.shadow is None else "shadow"
        trial = pattern.model_copy(update={"version": version, "role": role})
        kept = [
            variant
            for variant in self.file.variants
            if variant != self.file.challenger and variant.version != version
        ]
        file = self.file.model_copy(update={"variants": [*kept, trial]})
        return replace(self, file=file, manifests=manifests)

    def with_shadow(self) -> "Endpoint":
        """
        Return the endpoint as its file has to be for a shadow run of its challenger.

        Raises SpecError when the file names none.
        """
        shadow = self.challenger.model_copy(update={"role": "shadow", "scaling": None})
        file = self.file.model_copy(update={"variants": [self.champion, shadow]})
        return replace(self, file=file)

    def _newcomer(self, version: str) -> dict[str, Manifest]:
        champion = self.champion.version
        if version == champion:
            raise SpecError(
                self.folder,
                [
                    f"challenger {version}: given the champion, allowed is any other version: "
                    f"name another"
                ],
            )
        if re.fullmatch(VERSION, version) is None:
            raise SpecError(
                self.folder,
                [
                    f"challenger {version!r}: allowed is the name of a version's folder: "
                    f"write for example v1-0-0"
                ],
            )
        if version in self.manifests:
            return {}
        manifest, problems = check_version(self.folder, self.file.endpoint, version)
        if manifest is not None:
            pair = {champion: self.manifests[champion], version: manifest}
            held_out = self.file.held_out
            problems += read_rows(self.folder, held_out.file, held_out.label, pair)[1]
            problems += _comparison_problems(self.document, champion, pair)
        if manifest is None or problems:
            raise SpecError(self.folder, problems)
        return {version: manifest}

    def policy(self) -> Policy:
        """
        Return the rollout's policy, as every Lambda reads it.

        Raises SpecError when the file names no challenger.
        """
        return self.file.rollout.policy(*self._compared())

    def shadow_policy(self) -> Policy:
        """Return the policy of a shadow run; raises SpecError when the file names no challenger."""
        return self.file.rollout.shadow_policy(*self._compared())

    def trial_policy(self) -> Policy:
        """Return the policy of what is deployed, a rollout or a shadow run; raises SpecError."""
        return self.policy() if self.file.shadow is None else self.shadow_policy()

    def _compared(self) -> tuple[Expected, tuple[float, ...]]:
        champion = self.manifests[self.champion.version]
        challenger = self.manifests[self.challenger.version]
        expected = Expected(**difference(champion, challenger))
        return expected, tuple(champion.latency.edges_seconds)


def _no_check(_field: str, _text: str, _weights: Sequence[int]) -> str | None:
    return None


def load(folder: Path, check: Check = _no_check) -> Endpoint:
    """
    Return the endpoint that a folder describes.

    `check` says what is wrong with a fault or event of the file's rehearsal, which is of no
    consequence where nothing is rehearsed. Raises SpecError with every problem of the folder: the
    file's, each version's, the rows'.
    """
    document, problems = read_yaml(folder / FILE_NAME)
    if document is None:
        raise SpecError(folder, problems)
    file, found = parse(EndpointFile, document)
    problems += found + relations(document, check)
    manifests = _read_versions(folder, document, problems)
    rows = _read_held_out(folder, document, manifests, problems)
    champion = _champion(document)
    if champion in manifests:
        problems += metric_problems(document, manifests[champion].task)
        problems += _comparison_problems(document, champion, manifests)
    if file is None or problems:
        raise SpecError(folder, problems)
    return Endpoint(folder, document, file, manifests, rows)


def _read_versions(folder: Path, document: Document, problems: list[str]) -> dict[str, Manifest]:
    endpoint = usable(EndpointFile, document.content, "endpoint")
    manifests = {}
    for version in _versions(document):
        manifest, found = check_version(folder, endpoint, version)
        problems += found
        if manifest is not None:
            manifests[version] = manifest
    return manifests


def _read_held_out(
    folder: Path, document: Document, manifests: Mapping[str, Manifest], problems: list[str]
) -> tuple[Row, ...]:
    held_out = section(document.content, "held_out")
    file, label = usable(HeldOut, held_out, "file"), usable(HeldOut, held_out, "label")
    if file is None or label is None:
        return ()
    rows, found = read_rows(folder, file, label, manifests)
    problems += found
    return rows


def _comparison_problems(
    document: Document, champion: str, manifests: Mapping[str, Manifest]
) -> list[str]:
    # Over different answers or bins a difference means nothing, so it is not judged.
    return (
        task_differences(champion, manifests)
        or edge_problems(champion, manifests)
        or [*tolerance_problems(document, champion, manifests)]
    )


def _versions(document: Document) -> list[str]:
    """Return every version that the file names: its variants', then its rehearsal's."""
    named = [usable(Variant, it, "version") for it in items(document.content, "variants")]
    named += [usable(Scenario, it, "challenger") for it in items(document.content, "rehearsal")]
    return list(dict.fromkeys(version for version in named if version is not None))


def _champion(document: Document) -> str | None:
    variants = items(document.content, "variants")
    champions = [it for it in variants if usable(Variant, it, "role") == "champion"]
    return usable(Variant, champions[0], "version") if champions else None
