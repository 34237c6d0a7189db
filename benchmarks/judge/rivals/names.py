"""Short names of the modelled rules."""

RIVALS = {
    name: f"benchmarks.judge.rivals.{factory}"
    for name, factory in {
        "alarm 2 of 3": "alarm:Alarm",
        "guardrail": "alarm:Guardrail",
        "Argo": "analysis:Argo",
        "Argo, strict": "analysis:StrictArgo",
        "Flagger": "analysis:Flagger",
        "Kayenta": "significance:Kayenta",
        "z-test": "significance:RepeatedZ",
        "told": "told:Told",
    }.items()
}
