"""A small API client for tests: sends JSON and checks the envelope of every answer, in either version."""

import json
import re
from typing import Any

import zeal
from django.http import HttpResponse
from django.test import Client

from accounts import services
from accounts.models import User
from accounts.roles import effective_roles, grantable_scopes
from accounts.selectors import role_names
from system.api.versions import version_named

SUCCESS_KEYS = {"code", "message", "data", "timestamp", "request_id"}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FIRST_ERROR_STATUS = 400


class ApiClient:
    """Calls /api/v1 without credentials, or as a user: `api.as_(operator).post("sync/start", {...})`.

    `last` is the whole answer of the latest call, for its headers. Bodies are written in version 1's names and sent in
    those of the client's version.
    """

    def __init__(self, token: str = "", *, key: str = "", version: str = "v1") -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = ({"Authorization": f"Bearer {token}"} if token else {}) | ({"X-API-Key": key} if key else {})
        self.version = version
        self.last: Any = HttpResponse()

    def as_(self, user: User) -> "ApiClient":
        """A client with a fresh session of this user; in later versions also with a key of all the role allows."""
        key = key_of(user) if self.version != "v1" else ""
        return ApiClient(services.open_session(user)["token"], key=key, version=self.version)

    def with_key(self, key: str, *, token: str = "") -> "ApiClient":
        """A client that sends this API key, and the token if there is one."""
        return ApiClient(token, key=key, version=self.version)

    def with_token(self, token: str) -> "ApiClient":
        """A client that sends this access token."""
        return ApiClient(token, version=self.version)

    def get(self, path: str, *, expect: int = 200, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """The data of a GET; of an error its `error` object."""
        return self.call("GET", path, expect=expect, headers=headers, query_params=query)

    def post(self, path: str, body: Any = None, *, expect: int = 200, headers: dict[str, str] | None = None) -> Any:
        """The data of a POST; of an error its `error` object."""
        return self.call("POST", path, body, expect=expect, headers=headers)

    def patch(self, path: str, body: Any = None, *, expect: int = 200, headers: dict[str, str] | None = None) -> Any:
        """The data of a PATCH; of an error its `error` object."""
        return self.call("PATCH", path, body, expect=expect, headers=headers)

    def put(self, path: str, body: Any = None, *, expect: int = 200, headers: dict[str, str] | None = None) -> Any:
        """The data of a PUT; of an error its `error` object."""
        return self.call("PUT", path, body, expect=expect, headers=headers)

    def delete(self, path: str, *, expect: int = 204, headers: dict[str, str] | None = None) -> Any:
        """The data of a DELETE; of an error its `error` object."""
        return self.call("DELETE", path, expect=expect, headers=headers)

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200, **request: Any) -> Any:
        """Any method; the status must be `expect` and the body the envelope."""
        response = self.send(method, path, body, **request)
        assert response.status_code == expect, response.content.decode()[:2000]
        return opened(response)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        content_type: str = "application/json",
        **request: Any,
    ) -> Any:
        """The plain answer. A body that is not bytes is sent as JSON; a relative path lies under the version."""
        if body is not None:
            named = body if isinstance(body, bytes) else version_named(self.version).naming.rename(body)
            request["data"] = named if isinstance(named, bytes) else json.dumps(named)
            request["content_type"] = content_type
        address = path if path.startswith("/") else f"/api/{self.version}/{path}"
        with zeal.zeal_context():
            self.last = self._client.generic(method, address, headers={**self._headers, **(headers or {})}, **request)
        return self.last


def key_of(user: User, *scopes: str, **wanted: Any) -> str:
    """A fresh API key of this user, with everything the role allows unless scopes are given."""
    granted = scopes or grantable_scopes(effective_roles(role_names(user)))
    return services.create_key(user.pk, services.NewKey(name="tests", scopes=tuple(granted), **wanted))[1]


def opened(response: HttpResponse) -> Any:
    """What the envelope holds: data, or the error object of a refusal.

    Asserts everything the envelope promises.
    """
    if response.status_code == 204:
        assert response.content == b""
        return None
    assert response.headers["Content-Type"] == "application/json", response.content[:200]
    envelope = json.loads(response.content)
    failed = response.status_code >= FIRST_ERROR_STATUS
    assert TIMESTAMP.fullmatch(envelope["timestamp"])
    read = _opened_v2 if "success" in envelope else _opened_v1
    return read(envelope, response, failed=failed)


def _opened_v1(envelope: dict[str, Any], response: HttpResponse, *, failed: bool) -> Any:
    assert set(envelope) == SUCCESS_KEYS | ({"error"} if failed else set())
    assert envelope["code"] == response.status_code
    assert envelope["message"]
    assert envelope["request_id"] == response.headers["X-Request-ID"]
    if not failed:
        return envelope["data"]
    assert set(envelope["error"]) == {"code", "details", "suggestion"}
    assert envelope["data"] is None
    return _error(envelope["error"])


def _opened_v2(envelope: dict[str, Any], response: HttpResponse, *, failed: bool) -> Any:
    assert envelope["success"] is not failed
    assert envelope["requestId"] == response.headers["X-Request-ID"]
    if failed:
        assert set(envelope) == {"success", "error", "timestamp", "requestId"}
        assert set(envelope["error"]) == {"code", "message", "details", "suggestion"}
        assert envelope["error"]["message"]
        return _error(envelope["error"])
    assert set(envelope) - {"pagination"} == {"success", "data", "message", "timestamp", "requestId"}
    return envelope["data"]


def _error(error: dict[str, Any]) -> dict[str, Any]:
    assert re.fullmatch(r"E\d{5}", error["code"])
    assert error["suggestion"]
    return error
