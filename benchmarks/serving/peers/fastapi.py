"""FastAPI under uvicorn, with httptools and uvloop: the peer that all ratios are made to."""

from fastapi import FastAPI

from benchmarks.serving.peers.work import Answer, Record, Scorer

app = FastAPI()
scorer = Scorer()


# `async def` on purpose: a plain function goes to a thread, which costs a third of the rate here.
@app.post("/invocations")
async def invocations(record: Record) -> Answer:
    """Score one record."""
    return scorer.answer(record)


@app.get("/ping")
async def ping() -> dict[str, str]:
    """Say that the model is loaded."""
    return {}
