"""Steelyard: SageMaker models behind a gate, not a switch."""
