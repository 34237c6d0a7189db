"""LitServe with one worker process, and a server process that hands requests to it."""

import sys

import litserve

from benchmarks.serving.peers.work import Answer, Record, Scorer


class Api(litserve.LitAPI):
    """The model as LitServe loads it: decoded and encoded in the worker, too."""

    def setup(self, device: str) -> None:
        """Load the model."""
        self._scorer = Scorer()

    def decode_request(self, request: Record) -> Record:
        """Take the record as FastAPI checked it: LitServe reads this annotation."""
        return request

    def predict(self, record: Record) -> Answer:
        """Score one record."""
        return self._scorer.answer(record)

    def encode_response(self, answer: Answer) -> Answer:
        """Give the answer as it is: FastAPI words it."""
        return answer


if __name__ == "__main__":
    server = litserve.LitServer(
        Api(api_path="/invocations"),
        accelerator="cpu",
        workers_per_device=1,
        healthcheck_path="/ping",
    )
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        access_log=False,
        log_level="warning",
    )
