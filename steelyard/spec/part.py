"""What the models of every file share: an immutable part, and the plainest of its fields."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

VERSION = r"^v(0|[1-9]\d{0,5})-(0|[1-9]\d{0,5})-(0|[1-9]\d{0,5})$"
VersionName = Annotated[
    str,
    Field(pattern=VERSION, description="the name of a version's folder", examples=["v1-0-0"]),
]
Text = Annotated[str, Field(min_length=1, description="text that is not empty")]
FileName = Annotated[
    str,
    Field(
        pattern=r"^[^/\\]*[^/\\.][^/\\]*$",
        description="the name of a file in this folder, without a path",
        examples=["heldout.csv"],
    ),
]
Name = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        description="lower-case letters, digits and single hyphens, beginning with a letter",
        examples=["fraud-score"],
    ),
]
Count = Annotated[
    int,
    Field(
        ge=1, strict=True, description="a whole number of 1 or more, not in quotes", examples=["2"]
    ),
]


class Part(BaseModel):
    """A part of a file: immutable, and without a field that is not named here."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
