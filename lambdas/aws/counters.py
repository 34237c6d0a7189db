"""CloudWatch's PromQL: the containers' counters."""

import json
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from lambdas.aws.clients import client


class MetricsUnavailable(Exception):
    """The counters could not be read whole; what is missing is never taken for health."""


class Counters:
    """The containers' counters, asked of CloudWatch by PromQL as raw samples."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        # No PromQL operation exists in botocore: the request is signed by hand, for the host that
        # the SDK itself would ask, so that AWS_ENDPOINT_URL leads it astray as it does the SDK.
        self._base = client("cloudwatch").meta.endpoint_url
        self._http = URLLib3Session(timeout=10)

    def samples(self, name: str, at: float, range_seconds: int) -> list[dict[str, Any]]:
        """
        Return every raw sample of a counter in the range that ends at `at`, one entry per series.

        Raises MetricsUnavailable when the answer is refused, cut or not what was asked for.
        """
        query = f'{name}{{"aws.sagemaker.endpoint.name"="{self._endpoint}"}}[{range_seconds}s]'
        answer = self._post(urlencode({"query": query, "time": f"{at:.3f}"}))
        if answer.get("status") != "success" or answer.get("warnings"):
            raise MetricsUnavailable(f"{name}: {answer.get('warnings') or answer.get('error')}")
        data = answer.get("data", {})
        if data.get("resultType") != "matrix":
            raise MetricsUnavailable(f"{name}: {data.get('resultType')} instead of a matrix")
        result: list[dict[str, Any]] = data["result"]
        return result

    def _post(self, body: str) -> dict[str, Any]:
        request = AWSRequest(
            method="POST",
            url=f"{self._base}/api/v1/query",
            data=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        session = boto3.DEFAULT_SESSION
        SigV4Auth(session.get_credentials(), "monitoring", session.region_name).add_auth(request)
        try:
            response = self._http.send(request.prepare())
            answer: dict[str, Any] = json.loads(response.content)
        except (BotoCoreError, ValueError) as error:
            raise MetricsUnavailable(str(error)) from error
        return answer
