"""Tasks in the back office: the same two services as the API's."""

import pytest

from accounts.models import User
from system.models import AuditLog, Task
from tests.admin.conftest import Pages, deed_on, list_of, page_of

pytestmark = pytest.mark.django_db


def a_task(state: str) -> Task:
    """A task row."""
    return Task.objects.create(kind="test.echo", state=state, payload={"job_id": 5, "note": "private"})


@pytest.mark.parametrize(
    ("deed", "state", "after"),
    [("retry", "failed", "pending"), ("cancel", "pending", "cancelled"), ("cancel", "running", "cancelling")],
)
def test_an_operator_acts(deed: str, state: str, after: str, operator: User, redis_url: str) -> None:
    task = a_task(state)
    Pages(operator).post(deed_on(task, deed))
    task.refresh_from_db()
    assert task.state == after
    assert AuditLog.objects.get(action=f"task.{deed}").target_id == str(task.pk)


def test_the_list_acts_on_every_selected_row(operator: User, redis_url: str) -> None:
    chosen = [str(a_task(state).pk) for state in ("failed", "cancelled")]
    Pages(operator).post(list_of(Task), {"action": "retry", "_selected_action": chosen, "index": "0"})
    assert set(Task.objects.values_list("state", flat=True)) == {"pending"}


def test_what_cannot_be_done_is_a_message(operator: User) -> None:
    task = a_task("succeeded")
    assert "succeeded" in Pages(operator).post(deed_on(task, "cancel"))


def test_a_viewer_only_looks(viewer: User) -> None:
    task = a_task("failed")
    Pages(viewer).post(deed_on(task, "retry"), expect=403)
    task.refresh_from_db()
    assert task.state == "failed"
    page = Pages(viewer).get(page_of(task))
    assert "job_id" in page
    assert "private" not in page
    assert "/do/retry/" not in page
