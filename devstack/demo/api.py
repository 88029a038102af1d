"""The demo as a client of the public API."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from devstack.demo.options import Complaint

PATIENCE_SECONDS = 60


class Api:
    """Calls as one user. `tick` runs while a call is tried again: a server that was just restarted is not an error."""

    def __init__(self, base_url: str, username: str, password: str, tick: Callable[[], None]) -> None:
        self._base_url = base_url
        self._login = {"username": username, "password": password}
        self._tick = tick
        self.token = ""

    def sign_in(self) -> str:
        """Get a new access token, good for an hour.

        Raises:
            Complaint: the API refuses.
        """
        self.token = ""
        self.token = self._data(self._call("POST", "auth/login", self._login))["token"]
        return self.token

    def start_full_sync(self, source: str) -> str:
        """Start a full sync, or find the one that already runs; returns its task id.

        Raises:
            Complaint: the API refuses.
        """
        answer = self._call("POST", "sync/start", {"type": "full", "source": source})
        if answer.status_code == httpx.codes.CONFLICT:
            return str(answer.json()["error"]["details"]["task_id"])
        return str(self._data(answer)["task_id"])

    def job(self, task_id: str) -> dict[str, Any]:
        """A job as the API shows it.

        Raises:
            Complaint: the API refuses.
        """
        return self._data(self._call("GET", f"sync/jobs/{task_id}"))

    def _call(self, method: str, route: str, body: dict[str, Any] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self._base_url}/api/v1/{route}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._tick()
            try:
                answer = httpx.request(method, url, json=body, headers=headers, timeout=15, trust_env=False)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise Complaint(f"{url}: {error}") from error
                continue
            if not answer.is_server_error or time.monotonic() > deadline:
                return answer

    def _data(self, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            call = f"{answer.request.method} {answer.request.url}"
            raise Complaint(f"{call} answered {answer.status_code}: {answer.text[:500]}")
        data: dict[str, Any] = answer.json()["data"]
        return data
