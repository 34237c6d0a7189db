"""The serving container: one model directory behind SageMaker's HTTP contract."""
