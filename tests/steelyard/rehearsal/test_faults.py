"""What a person may write as a fault."""

import pytest

from steelyard.rehearsal.faults import parse

WEIGHTS = (5, 25, 50, 100)
KINDS = (
    "allowed are errors=SHARE@STEP, latency=xFACTOR@STEP, constant-output@STEP and dead@STEP: "
    "write for example errors=5%@2"
)


@pytest.mark.parametrize(
    ("text", "kind", "size", "step"),
    [
        ("errors=5%", "errors", 0.05, 0),
        ("errors=0.05", "errors", 0.05, 0),
        ("errors=2.5%@25%", "errors", 0.025, 1),
        ("errors=100%@soak", "errors", 1.0, 3),
        ("errors=1@100%", "errors", 1.0, 3),
        ("latency=x3@2", "latency", 3.0, 1),
        ("latency=x1.5", "latency", 1.5, 0),
        ("latency=x100@soak", "latency", 100.0, 3),
        ("constant-output", "constant-output", 1.0, 0),
        ("constant-output@25%", "constant-output", 1.0, 1),
        ("dead", "dead", 1.0, 0),
        ("dead@2", "dead", 1.0, 1),
        (" dead@50% ", "dead", 1.0, 2),
        ("dead@25", "dead", 1.0, 1),
        ("dead@5", "dead", 1.0, 0),
        ("dead@3", "dead", 1.0, 2),
    ],
)
def test_a_fault_is_read(text: str, kind: str, size: float, step: int) -> None:
    fault = parse(text, WEIGHTS)

    assert (fault.kind, fault.size, fault.step, fault.text) == (kind, size, step, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", KINDS),
        ("slow=2", KINDS),
        ("constant=1", KINDS),
        ("errors", "the share None, allowed is above 0 up to 100%"),
        ("errors=0", "the share '0', allowed is above 0 up to 100%"),
        ("errors=101%", "the share '101%', allowed is above 0 up to 100%"),
        ("errors=-1%", "the share '-1%', allowed is above 0 up to 100%"),
        (
            "latency",
            "the factor None, allowed is above x1 up to x100: write for example latency=x3",
        ),
        ("latency=3", "the factor '3', allowed is above x1 up to x100"),
        ("latency=x1", "the factor 'x1', allowed is above x1 up to x100"),
        ("latency=x100.1", "the factor 'x100.1', allowed is above x1 up to x100"),
        ("latency=xx3", "the factor 'xx3', allowed is above x1 up to x100"),
        ("constant-output=0.5", "constant-output takes no value: write constant-output@STEP"),
        ("dead=1", "dead takes no value"),
        ("dead@0", "the step '0', allowed are 1 to 4, by weight 5%, 25%, 50%, 100%, and soak"),
        ("dead@7%", "the step '7%', allowed are 1 to 4"),
        ("dead@6", "the step '6', allowed are 1 to 4"),
    ],
)
def test_an_unusable_fault_is_refused_with_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="fault") as refusal:
        parse(text, WEIGHTS)

    assert said in str(refusal.value)
    assert repr(text) in str(refusal.value)
