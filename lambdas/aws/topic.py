"""SNS: the people who want to know."""

from lambdas.aws.clients import client


class Topic:
    """The people who want to know."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._sns = client("sns")

    def tell(self, subject: str, message: str) -> None:
        """Send a message."""
        self._sns.publish(TopicArn=self._arn, Subject=subject[:100], Message=message)
