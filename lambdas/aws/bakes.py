"""Step Functions: the bake that waits for a word."""

from lambdas.aws.clients import client


class Bakes:
    """The state machine's bake, waiting for a token."""

    def __init__(self) -> None:
        self._stepfunctions = client("stepfunctions")
        gone = self._stepfunctions.exceptions
        # An execution that ended, or an answer that was already given: nothing is left to tell.
        self._over = (gone.TaskTimedOut, gone.TaskDoesNotExist, gone.InvalidToken)

    def heartbeat(self, token: str) -> bool:
        """Say that the bake goes on; False when nobody waits for it any more."""
        try:
            self._stepfunctions.send_task_heartbeat(taskToken=token)
        except self._over:
            return False
        return True

    def succeed(self, token: str) -> bool:
        """Let the rollout advance; False when nobody waits for it any more."""
        try:
            self._stepfunctions.send_task_success(taskToken=token, output="{}")
        except self._over:
            return False
        return True

    def fail(self, token: str, error: str, cause: str) -> bool:
        """End the rollout; False when nobody waits for it any more."""
        try:
            self._stepfunctions.send_task_failure(
                taskToken=token, error=error[:256], cause=cause[:32768]
            )
        except self._over:
            return False
        return True
