"""A client of the public API that is not put off by a server that was shot a moment ago."""

import time
from typing import Any

import httpx

from tests.conftest import HANG_SECONDS

PAUSE_SECONDS = 0.2


class Caller:
    """Calls as the operator. `address` ends with the version."""

    def __init__(self, address: str, passwords: dict[str, str]) -> None:
        self._http = httpx.Client(base_url=address, timeout=HANG_SECONDS, trust_env=False)
        self._password = passwords["operator"]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def alive(self) -> bool:
        """Whether the server answers."""
        try:
            return self._http.get("health").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def sign_in(self) -> None:
        """Take a token."""
        data = self.call("POST", "auth/login", {"username": "operator", "password": self._password})
        self._http.headers["Authorization"] = f"Bearer {data['token']}"

    def call(self, method: str, route: str, body: Any = None, **headers: str) -> Any:
        """The data of a success; tried again while the server is away or overloaded."""
        deadline = time.monotonic() + HANG_SECONDS
        while True:
            answer = self.once(method, route, body, **headers)
            if answer is not None and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                assert answer.is_success, f"{method} {route}: {answer.status_code} {answer.text[:500]}"
                return answer.json()["data"]
            assert time.monotonic() < deadline, f"{method} {route}: {answer}"
            time.sleep(PAUSE_SECONDS)

    def once(self, method: str, route: str, body: Any = None, **headers: str) -> httpx.Response | None:
        """One answer, whatever it is; None when the connection broke."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            return self._http.request(method, route, json=body, headers=named)
        except httpx.TransportError:
            return None
