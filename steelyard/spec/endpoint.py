"""
What endpoint.yaml may say.

A field's description completes the sentence "allowed is ...", its example "write for example ...";
with both, a problem reads the same whatever is wrong with the field.
"""

from typing import Annotated, Literal

from pydantic import Field

from steelyard.spec.part import Count, FileName, Name, Part, Text, VersionName
from steelyard.spec.quantities import Seconds, Share
from steelyard.spec.rollout import Rollout

Price = Annotated[float, Field(ge=0, le=1e6, strict=True)]


class Scaling(Part):
    """Between which counts a variant's instances follow its traffic, and at what load."""

    min: Count
    max: Count
    invocations_per_instance: Annotated[
        float,
        Field(
            gt=0,
            le=1e9,
            strict=True,
            description="a number above 0, not in quotes",
            examples=["600"],
        ),
    ]
    cpu: Annotated[
        Share | None,
        Field(gt=0, description="a percentage above 0% and at most 100%", examples=["60%"]),
    ] = None


class Variant(Part):
    """One production variant; its name is the model version that it serves."""

    version: VersionName
    role: Literal["champion", "challenger", "previous", "shadow"]
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
    scaling: Scaling | None = None


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
    """One rollout, or one shadow run, that a rehearsal plays."""

    name: Text
    challenger: VersionName | None = None
    faults: list[Text] = []
    events: list[Text] = []
    shadow: Annotated[bool, Field(strict=True, description="true or false", examples=["true"])] = (
        False
    )
    expect: Literal["promoted", "passed", "aborted"] | None = None


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
            description="a list with the champion and at most a challenger and a previous, or a "
            "shadow",
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
        """The variant on trial, if there is one: to serve, or first as a shadow."""
        trials = (variant for variant in self.variants if variant.role in ("challenger", "shadow"))
        return next(trials, None)

    @property
    def shadow(self) -> Variant | None:
        """The variant on trial, if it is only to answer copies of requests."""
        trial = self.challenger
        return trial if trial is not None and trial.role == "shadow" else None
