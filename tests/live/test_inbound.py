"""What clients may say over a WebSocket."""

from typing import Any

import pytest
from django.conf import settings

from syncjobs.ws_inbound import Fault, Inbox
from tests.live.conftest import Watching

FAULTS_TO_THE_END = 3
BAD_TEXTS = [
    "", "{", "[1]", "7", '"resume"', "null", '{"type": "progress"}', '{"type": "_dispatch"}',
    '{"type": "websocket.close"}', '{"type": "resume"}', '{"type": "resume", "since": "1"}',
    '{"type": "resume", "since": -1}', '{"type": "resume", "since": true}', '{"type": "resume", "since": 1e30}',
    '{"type": "resume", "since": 1.5}', '{"type": "resume", "since": 99999999999999999999}',
    '{"type": "resume", "since": 1, "more": 2}', '{"type": "resume", "since": 1' + " " * 4096 + "}",
]  # fmt: skip


def text(content: str) -> dict[str, Any]:
    """An incoming text message."""
    return {"type": "websocket.receive", "text": content}


@pytest.mark.parametrize("content", BAD_TEXTS)
def test_only_a_well_formed_resume_is_understood(content: str) -> None:
    with pytest.raises(Fault):
        Inbox(lambda: 0.0).take(text(content))


def test_a_resume_gives_its_number() -> None:
    assert Inbox(lambda: 0.0).take(text('{"type": "resume", "since": 1767225600000}')) == 1767225600000


def test_more_than_twenty_messages_in_ten_seconds_are_a_fault() -> None:
    now = [0.0]
    inbox = Inbox(lambda: now[0])
    for _ in range(20):
        inbox.take(text('{"type": "resume", "since": 1}'))
    with pytest.raises(Fault, match="too_many"):
        inbox.take(text('{"type": "resume", "since": 1}'))
    now[0] = 10.0
    assert inbox.take(text('{"type": "resume", "since": 2}')) == 2


def test_the_third_fault_ends_the_connection(watching: Watching) -> None:
    watching.frame()
    for _ in range(2):
        watching.say({"type": "websocket.close"})
        assert watching.frame_of("error")["data"]["code"] == "unknown_type"
    watching.say({"type": "websocket.close"})
    assert watching.frame_of("error")["data"]["code"] == "unknown_type"
    assert watching.closing_code() == 1008


def test_binary_frames_are_unsupported_data(watching: Watching) -> None:
    for _ in range(3):
        watching.connection.send(b"\x00\x01")
    assert watching.closing_code() == 1003


def test_a_frame_over_64_kilobytes_ends_the_connection(watching: Watching) -> None:
    watching.connection.send("x" * (64 * 1024 + 1))
    assert watching.closing_code() == 1009


def test_a_flood_ends_the_connection(watching: Watching) -> None:
    # Not more than it takes: who still speaks to a closed connection does not hear why it was closed.
    for _ in range(settings.WS_INBOUND_MESSAGES + FAULTS_TO_THE_END):
        watching.say({"type": "resume", "since": 0})
    assert watching.closing_code() == 1008
