"""moto's Lambda, running real handlers without Docker."""

from collections.abc import Callable, MutableMapping
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.awslambda_simple.models import LambdaSimpleBackend, lambda_simple_backends

from steelyard.rehearsal.functions import Function, Functions
from steelyard.rehearsal.moto_patches import replace


def install(functions: Callable[[], Functions]) -> None:
    """Let `functions()` answer every invocation, where moto's simple backend echoes the event."""

    def invoke(
        backend: LambdaSimpleBackend,
        function_name: str,
        qualifier: str | None,
        body: Any,
        _headers: Any,
        response_headers: MutableMapping[str, Any],
    ) -> bytes:
        found = backend.get_function(function_name, qualifier)
        event = body.encode() if isinstance(body, str) else body
        result = functions().start(published(found)).invoke(event or b"{}")
        if result.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return result.payload

    replace(LambdaSimpleBackend, invoke)


def backend(account: str, region: str) -> LambdaSimpleBackend:
    """Return the functions of an account and region."""
    return lambda_simple_backends[account][region]


def published(function: LambdaFunction) -> Function:
    """Return moto's function as the runtime needs it."""
    return Function(
        arn=function.function_arn,
        name=function.function_name,
        version=str(function.version),
        handler=str(function.handler),
        code=function.code_bytes,
        environment=dict(function.environment_vars or {}),
        timeout_seconds=float(function.timeout),
        memory_mb=int(function.memory_size),
    )
