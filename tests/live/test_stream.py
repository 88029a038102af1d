"""What a WebSocket shows of a job, through a real server and Redis."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from syncjobs.live import publish
from syncjobs.models import SyncJob
from syncjobs.selectors import job as job_by_id
from syncjobs.selectors import job_view
from system.redis import redis_client
from tests.live.conftest import Watching
from tests.server.webserver import WebServer

pytestmark = pytest.mark.shows("000/AC-10")

SEVEN_SECONDS = 7


def advance(job: SyncJob, processed: int, state: str = "running") -> None:
    """Commit progress and publish it."""
    SyncJob.objects.filter(pk=job.pk).update(processed=processed, state=state)
    publish(job.pk, "progress" if state == "running" else "finished", job_view(job_by_id(job.pk)))


def test_the_first_frame_is_the_job_as_the_database_has_it(watching: Watching, job: SyncJob) -> None:
    snapshot = watching.frame()
    assert snapshot["type"] == "snapshot"
    assert snapshot["data"]["task_id"] == job.task_id
    assert snapshot["data"]["progress"]["total"] == 100


def test_events_follow_the_snapshot_without_a_hole(watching: Watching, job: SyncJob) -> None:
    first = watching.frame()["seq"]
    advance(job, 10)
    publish(job.pk, "log", {"message": "half way"})
    advance(job, 100, "succeeded")
    frames = [watching.frame() for _ in range(3)]
    assert [frame["seq"] for frame in frames] == [first + 1, first + 2, first + 3]
    assert [frame["type"] for frame in frames] == ["progress", "log", "finished"]
    assert frames[2]["data"]["status"] == "succeeded"


def test_a_burst_of_progress_is_merged_and_its_last_state_shown(
    watching: Watching, job: SyncJob, settings: Settings
) -> None:
    settings.LIVE_PROGRESS_PER_SECOND = 1
    watching.frame()
    for processed in range(1, 41):
        advance(job, processed)
    shown: list[int] = []
    while not shown or shown[-1] != 40:
        shown.append(watching.frame_of("progress")["data"]["progress"]["processed"])
    assert shown == sorted(shown)
    assert len(shown) < 40


def test_the_end_is_shown_right_after_a_burst(watching: Watching, job: SyncJob) -> None:
    watching.frame()
    for processed in range(1, 11):
        advance(job, processed)
    advance(job, 100, "succeeded")
    assert watching.frame_of("finished")["data"]["progress"]["processed"] == 100


def test_a_finished_job_is_confirmed_by_a_snapshot(watching: Watching, job: SyncJob) -> None:
    watching.frame()
    advance(job, 100, "succeeded")
    overtaken = {**job_view(job_by_id(job.pk)), "status": "running"}
    publish(job.pk, "progress", overtaken)
    assert watching.frame_of("snapshot")["data"]["status"] == "succeeded"


def test_resume_sends_what_was_missed(watching: Watching, job: SyncJob) -> None:
    first = watching.frame()["seq"]
    for number in range(5):
        publish(job.pk, "log", {"number": number})
    missed = [watching.frame() for _ in range(5)][2:]
    watching.say({"type": "resume", "since": first + 2})
    assert [watching.frame() for _ in range(3)] == missed


@pytest.mark.parametrize("distance", [-5000, 5000])
def test_resume_from_an_unknown_number_sends_a_snapshot(watching: Watching, job: SyncJob, distance: int) -> None:
    first = watching.frame()["seq"]
    watching.say({"type": "resume", "since": first + distance})
    assert watching.frame()["type"] == "snapshot"


def test_the_stream_of_all_jobs_shows_each_of_them(
    server: WebServer,
    make_job: Callable[[str], SyncJob],
    sign_in: Callable[..., str],
    open_socket: Callable[..., Watching],
) -> None:
    one, two = make_job("sync_20260101_001"), make_job("sync_20260101_002")
    watching = open_socket(server.ws, sign_in())
    snapshot = watching.frame()
    assert {job["task_id"] for job in snapshot["data"]["jobs"]} == {one.task_id, two.task_id}
    advance(one, 5)
    advance(two, 6)
    frames = [watching.frame(), watching.frame()]
    assert [frame["seq"] for frame in frames] == [snapshot["seq"] + 1, snapshot["seq"] + 2]
    assert [frame["data"]["task_id"] for frame in frames] == [one.task_id, two.task_id]


def test_an_idle_socket_stays_open(watching: Watching, job: SyncJob) -> None:
    watching.frame()
    with pytest.raises(TimeoutError):
        watching.connection.recv(timeout=SEVEN_SECONDS)
    publish(job.pk, "log", {"message": "still here"})
    assert watching.frame()["type"] == "log"


def test_when_redis_lost_everything_numbers_go_up_and_the_truth_is_shown(watching: Watching, job: SyncJob) -> None:
    first = watching.frame()["seq"]
    advance(job, 10)
    watching.frame()
    redis_client("live").flushdb()
    SyncJob.objects.filter(pk=job.pk).update(processed=77)
    publish(job.pk, "log", {"message": "after the loss"})
    assert watching.frame_of("log")["seq"] > first + 1
    assert watching.frame_of("snapshot")["data"]["progress"]["processed"] == 77
