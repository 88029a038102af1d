"""A worker's memory does not grow with what it reads: ten times the records, the same peak."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import processes
from syncjobs.models import Source
from tests.connectors.cases import MAPPING, record, write_ndjson
from tests.server.webserver import environment
from tests.syncjobs.conftest import start

FEW, MANY = 2_000, 20_000
# What the allocator keeps here or there; ten times the records would be twenty times that, were they held.
SLACK_KB = 24 * 1024

# One process that runs all slices of a job and says what it took at most, in kilobytes.
PROGRAM = """
import resource, sys
import django
django.setup()
from syncjobs.models import SyncJob
from syncjobs.services.slices import run_slice
from system.models import Task
from system.queue import TaskContext
job = SyncJob.objects.get(pk=int(sys.argv[1]))
while job.state == "running":
    task = Task.objects.create(kind="sync.slice", state="running", fence=1, job_id=job.pk)
    run_slice({"job_id": job.pk}, TaskContext(task.pk, 1, job.pk))
    job.refresh_from_db()
print(job.processed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kb(job_id: int, expected: int) -> int:
    """What a fresh process needs for the job."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(job_id)],
        env=environment(0), capture_output=True, text=True, check=False,
        preexec_fn=processes.die_with_parent(signal.SIGKILL),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    processed, peak = map(int, done.stdout.split()[-2:])
    assert processed == expected
    return peak


@pytest.mark.parametrize("again", [False, True], ids=["first load", "unchanged"])
def test_ten_times_the_records_need_no_more_memory(
    transactional_db: None, redis_url: str, tmp_path: Path, again: bool
) -> None:
    peaks = {}
    for size in (FEW, MANY):
        path = tmp_path / f"{size}.ndjson"
        write_ndjson(path, [record(number) for number in range(size)])
        options = {"path": str(path), "mapping": MAPPING}
        source = Source.objects.create(name=f"feed{size}", kind="feed", options=options, delist_limit_percent=100)
        for _ in range(1 + again):
            peaks[size] = peak_kb(start(source=source.name, batch_size=200).pk, size)
    assert peaks[MANY] - peaks[FEW] < SLACK_KB, peaks
