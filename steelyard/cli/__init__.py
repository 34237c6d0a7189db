"""The steelyard command: one file per subcommand."""

import signal
from types import FrameType

import click

from steelyard.cli.abort import abort
from steelyard.cli.approve import approve
from steelyard.cli.audit import audit
from steelyard.cli.backtest import backtest
from steelyard.cli.judge import judge
from steelyard.cli.loadtest import loadtest
from steelyard.cli.pause import pause
from steelyard.cli.plan import plan
from steelyard.cli.rehearse import rehearse
from steelyard.cli.repair import repair
from steelyard.cli.resume import resume
from steelyard.cli.revert import revert
from steelyard.cli.status import status


class _Interruptible(click.Group):
    """Ends as a shell expects after a signal, once everything that was begun is ended too."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the subcommand; exit code 130 after Ctrl-C, 143 when asked to terminate."""
        before = signal.signal(signal.SIGTERM, _terminate)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\ninterrupted: what was running is ended, no report was written", err=True)
            ctx.exit(128 + signal.SIGINT)
        finally:
            signal.signal(signal.SIGTERM, before)


def _terminate(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@click.group(cls=_Interruptible, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="steelyard")
def main() -> None:
    """Ship SageMaker models behind a gate: rehearse a rollout before an account is touched."""


for command in (
    abort,
    approve,
    audit,
    backtest,
    judge,
    loadtest,
    pause,
    plan,
    rehearse,
    repair,
    resume,
    revert,
    status,
):
    main.add_command(command)
