"""Clients are made once, and anew for whoever puts another session in the place of boto3's."""

import boto3

from lambdas.aws.clients import client


def test_a_client_is_made_once(local):
    def made():
        return client("sns", retries={"mode": "legacy", "max_attempts": 3})

    assert made() is made()


def test_each_settings_have_a_client_of_their_own(local):
    slow, fast = client("sns", read_timeout=9), client("sns", read_timeout=2)

    assert slow is client("sns", read_timeout=9)
    assert (slow.meta.config.read_timeout, fast.meta.config.read_timeout) == (9, 2)


def test_another_session_gets_clients_of_its_own(local, monkeypatch):
    before, heard = client("sns"), []
    session = boto3.Session()
    session.events.register("before-call", lambda **call: heard.append(call["model"].name))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)

    client("sns").list_topics()

    assert heard == ["ListTopics"]
    assert client("sns") is not before
