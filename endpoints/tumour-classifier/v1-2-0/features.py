"""
The feature table: what one record of this endpoint holds, in which unit and range.

Training reads it, every manifest carries it, and the serving container builds its input check from
the manifest. A copy lies in each version's folder, and its `row` is what the container calls: the
model is served with the very code that it was trained with. Standard library only.

Source of the quantities: the Wisconsin diagnostic breast cancer data (UCI id 17), ten properties of
cell nuclei, each as mean, standard error and worst value over one image. The data set names no
length unit; this endpoint's contract reads its lengths as millimetres.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any


@dataclass(frozen=True)
class Feature:
    """
    One number of a record.

    `low` and `high` are inclusive, about half the least and twice the greatest value in the data:
    they stop nonsense and foreign units, not rare cases. A unit of `1` means dimensionless.
    """

    name: str
    unit: str
    low: float
    high: float
    type: str = "float"
    nullable: bool = False
    pii: bool = False


FEATURES = (
    Feature("mean_radius", "mm", 3.5, 60.0),
    Feature("mean_texture", "grey level", 4.0, 80.0),
    Feature("mean_perimeter", "mm", 20.0, 400.0),
    Feature("mean_area", "mm2", 70.0, 5_000.0),
    Feature("mean_smoothness", "1", 0.02, 0.4),
    Feature("mean_compactness", "1", 0.0, 1.0),
    Feature("mean_concavity", "1", 0.0, 1.2),
    Feature("mean_concave_points", "1", 0.0, 0.6),
    Feature("mean_symmetry", "1", 0.05, 0.7),
    Feature("mean_fractal_dimension", "1", 0.02, 0.2),
    Feature("radius_error", "mm", 0.0, 6.0),
    Feature("texture_error", "grey level", 0.0, 10.0),
    Feature("perimeter_error", "mm", 0.0, 45.0),
    Feature("area_error", "mm2", 0.0, 1_100.0),
    Feature("smoothness_error", "1", 0.0, 0.1),
    Feature("compactness_error", "1", 0.0, 0.4),
    Feature("concavity_error", "1", 0.0, 1.2),
    Feature("concave_points_error", "1", 0.0, 0.2),
    Feature("symmetry_error", "1", 0.0, 0.25),
    Feature("fractal_dimension_error", "1", 0.0, 0.1),
    Feature("worst_radius", "mm", 4.0, 75.0),
    Feature("worst_texture", "grey level", 5.0, 100.0),
    Feature("worst_perimeter", "mm", 25.0, 500.0),
    Feature("worst_area", "mm2", 90.0, 8_500.0),
    Feature("worst_smoothness", "1", 0.03, 0.5),
    Feature("worst_compactness", "1", 0.0, 3.0),
    Feature("worst_concavity", "1", 0.0, 3.5),
    Feature("worst_concave_points", "1", 0.0, 0.9),
    Feature("worst_symmetry", "1", 0.07, 1.4),
    Feature("worst_fractal_dimension", "1", 0.02, 0.5),
)

NAMES = tuple(feature.name for feature in FEATURES)


_values = itemgetter(*NAMES)


def row(record: Mapping[str, float]) -> list[float]:
    """
    Put the values of a record into the order of the feature table.

    Raises ValueError that names every missing and every unknown field.
    """
    # Runs once a prediction: wrong fields are looked for only where there must be some.
    if len(record) == len(NAMES):
        try:
            return list(_values(record))
        except KeyError:
            pass
    raise ValueError(_wrong_fields(record))


def _wrong_fields(record: Mapping[str, float]) -> str:
    missing = [name for name in NAMES if name not in record]
    unknown = [name for name in record if name not in NAMES]
    return (
        f"record has missing fields {_listed(missing)} and unknown fields {_listed(unknown)}, "
        f"allowed are exactly the {len(NAMES)} features; add or drop them"
    )


def table() -> list[dict[str, Any]]:
    """Give the feature table as a manifest carries it, but for what training saw of each."""
    return [
        {
            "name": feature.name,
            "type": feature.type,
            "range": [feature.low, feature.high],
            "unit": feature.unit,
            "nullable": feature.nullable,
            "pii": feature.pii,
        }
        for feature in FEATURES
    ]


def schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of one record, properties in the order of the table."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "one record of tumour-classifier",
        "type": "object",
        "properties": {
            feature.name: {
                "type": "number",
                "minimum": feature.low,
                "maximum": feature.high,
                "description": f"unit: {feature.unit}",
            }
            for feature in FEATURES
        },
        "required": list(NAMES),
        "additionalProperties": False,
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "(none)"
