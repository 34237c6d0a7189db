"""
What endpoint.yaml may say.

A field's description completes the sentence "allowed is ...", its example "write for example ...";
with both, a problem reads the same whatever is wrong with the field.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from steelyard.spec.quantities import Seconds, Share, WholeSeconds

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

Price = Annotated[float, Field(ge=0, le=1e6, strict=True)]


class Part(BaseModel):
    """A part of a file: immutable, and without a field that is not named here."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Variant(Part):
    """One production variant; its name is the model version that it serves."""

    version: VersionName
    role: Literal["champion", "challenger", "previous"]
    instance_type: Annotated[
        str,
        Field(
            pattern=r"^ml\.[a-z][a-z0-9-]*\.(medium|large|\d{0,3}xlarge)$",
            description="a SageMaker instance type: ml, family and size, with points between",
            examples=["ml.c6i.large"],
        ),
    ]
    instance_count: Count
    price_per_hour: Annotated[
        Price | None,
        Field(description="a number from 0 to 1000000, not in quotes", examples=["0.12"]),
    ] = None


class Step(Part):
    """One weight of the challenger and the least time under watch there."""

    weight: Annotated[
        int,
        Field(
            ge=1,
            le=99,
            strict=True,
            description="a whole number from 1 to 99, not in quotes; the soak has 100 by itself",
            examples=["5"],
        ),
    ]
    bake: WholeSeconds


class Tolerance(Part):
    """How much worse, or other, a challenger may be without harm."""

    errors_relative: Share = 0.5
    errors_absolute: Annotated[
        Share, Field(lt=1, description="a percentage below 100%", examples=["0.1%"])
    ] = 0.001
    latency: Share = 0.2
    predictions: Share = 0.1


class Rollout(Part):
    """When traffic moves, and what the judge may take for harmless."""

    steps: Annotated[
        list[Step],
        Field(
            min_length=1,
            description="a list of one step or more",
            examples=["- {weight: 5, bake: 15 minutes}"],
        ),
    ]
    soak: WholeSeconds
    longest: WholeSeconds = 3600
    pause: WholeSeconds = 7200
    minimum_requests: Count = 50
    false_rollback: Annotated[
        Share,
        Field(gt=0, lt=0.5, description="a percentage above 0% and below 50%", examples=["1%"]),
    ] = 0.01
    tolerance: Tolerance = Tolerance()
    undecided: Literal["pause", "advance"] = "pause"
    patience: Literal["one minute", "two minutes"] = "one minute"
    warm_up: WholeSeconds = 120


class Alarms(Part):
    """Limits of the static alarms, which are for catastrophes."""

    error_rate: Annotated[
        Share,
        Field(
            gt=0,
            lt=1,
            description="a percentage above 0% and below 100%, which it must pass to be raised",
            examples=["30%"],
        ),
    ] = 0.3
    latency_p99: Annotated[
        Seconds,
        Field(
            ge=0.001,
            le=60,  # the longest that SageMaker waits for a container's answer
            description="a duration from 1 millisecond to 60 seconds",
            examples=["500 milliseconds"],
        ),
    ] = 1.0
    minimum_requests: Count = 5


class HeldOut(Part):
    """Rows no version was trained on, and how a challenger is measured on them."""

    file: FileName
    label: Text
    metric: Literal["accuracy", "log_loss", "mean_absolute_error"] = "accuracy"
    margin: Share = 0.02


class Traffic(Part):
    """What the endpoint is expected to receive."""

    requests_per_minute: Annotated[
        float,
        Field(
            gt=0,
            le=1e9,
            strict=True,
            description="a number above 0, not in quotes",
            examples=["240"],
        ),
    ]


class Scenario(Part):
    """One rollout that a rehearsal plays."""

    name: Text
    challenger: VersionName | None = None
    faults: list[Text] = []
    expect: Literal["promoted", "aborted"] | None = None


class Environment(Part):
    """An AWS account and region that the endpoint is deployed to."""

    account: Annotated[
        str,
        Field(
            pattern=r"^[0-9]{12}$",
            description="an account's 12 digits, in quotes so that leading zeros stay",
            examples=['"111122223333"'],
        ),
    ]
    # ARNs are written for the partition `aws`; those of China, of GovCloud and the like differ.
    region: Annotated[
        str,
        Field(
            pattern=r"^(af|ap|ca|eu|il|me|mx|sa|us)-(central|(north|south)?(east|west)|north|south)-[1-9]$",
            description="a region of the partition aws",
            examples=["eu-central-1"],
        ),
    ]


class EndpointFile(Part):
    """The whole file."""

    endpoint: Name
    description: Text
    variants: Annotated[
        list[Variant],
        Field(
            min_length=1,
            description="a list with the champion and at most a challenger and a previous",
            examples=[
                "- {version: v1-0-0, role: champion, instance_type: ml.c6i.large, "
                "instance_count: 2}"
            ],
        ),
    ]
    rollout: Rollout
    alarms: Alarms = Alarms()
    held_out: HeldOut
    traffic: Traffic
    rehearsal: list[Scenario] = []
    environments: Annotated[
        dict[Name, Environment],
        Field(
            min_length=1,
            description="one environment or more by name, each with account and region",
            examples=['staging: {account: "111122223333", region: eu-central-1}'],
        ),
    ]

    @property
    def champion(self) -> Variant:
        """The variant that serves now."""
        return next(variant for variant in self.variants if variant.role == "champion")

    @property
    def challenger(self) -> Variant | None:
        """The variant on trial, if there is one."""
        return next((variant for variant in self.variants if variant.role == "challenger"), None)
