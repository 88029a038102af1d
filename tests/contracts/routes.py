"""The live route table, and what is expected of each of its routes."""

from dataclasses import dataclass, field
from typing import Any

from config.api_urls import routes

ROLES = ("anyone", "plain_user", "viewer", "operator", "admin")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a route promises.

    Attributes:
        who: the lowest of ROLES that may call it.
        path: a concrete address, its placeholders filled from the world of `conftest.py`; None: the route itself.
        body: what a caller who may sends.
        status: the answer to that caller.
        enveloped: False for the bare health body.
        query: whether it takes declared query parameters only.
        counted: whether its queries are counted.
    """

    who: str
    path: str | None = None
    body: dict[str, Any] | None = None
    status: int = 200
    enveloped: bool = True
    query: bool = False
    counted: bool = False


LOGIN = {"username": "viewer", "password": "{password}"}
SESSION = {"refresh_token": "{refresh_token}"}

TABLE: dict[tuple[str, str], Row] = {
    ("GET", "products"): Row(who="plain_user", query=True, counted=True),
    ("GET", "products/<pk>"): Row(who="plain_user", path="products/{product}", counted=True),
    ("GET", "categories"): Row(who="plain_user", query=True, counted=True),
    ("GET", "categories/<pk>"): Row(who="plain_user", path="categories/{category}", counted=True),
    ("POST", "sync/start"): Row(who="operator", body={"type": "full"}),
    ("POST", "sync/stop"): Row(who="operator", body={"task_id": "{running}"}),
    ("POST", "sync/resume"): Row(who="operator", body={"task_id": "{stopped}"}),
    ("GET", "sync/status"): Row(who="viewer", query=True, counted=True),
    ("GET", "sync/logs"): Row(who="viewer", query=True, counted=True),
    ("GET", "sync/jobs"): Row(who="viewer", query=True, counted=True),
    ("GET", "sync/jobs/<task_id>"): Row(who="viewer", path="sync/jobs/{running}", counted=True),
    ("POST", "auth/login"): Row(who="anyone", body=LOGIN),
    ("POST", "auth/refresh"): Row(who="anyone", body=SESSION),
    ("POST", "auth/logout"): Row(who="plain_user", body=SESSION),
    ("GET", "auth/profile"): Row(who="plain_user", counted=True),
    ("PATCH", "auth/profile"): Row(who="plain_user", body={"email": "contract@example.com"}),
    ("GET", "health"): Row(who="anyone", enveloped=False),
    ("GET", "system/health"): Row(who="anyone"),
}


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    route: str
    row: Row = field(hash=False)

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    def path(self, world: dict[str, Any]) -> str:
        """A concrete address."""
        return (self.row.path or self.route).format(**world)

    def body(self, world: dict[str, Any]) -> dict[str, Any] | None:
        """A body that is accepted."""
        if self.row.body is None:
            return None
        return {name: value.format(**world) for name, value in self.row.body.items()}


def live_methods(pattern: Any) -> list[str]:
    """The methods a pattern of the URLconf answers to."""
    if hasattr(pattern.callback, "actions"):
        return [method.upper() for method in pattern.callback.actions if method != "head"]
    view = pattern.callback.view_class
    return [method.upper() for method in view.http_method_names if method != "head" and hasattr(view, method)]


LIVE = {(method, str(pattern.pattern)) for pattern in routes for method in live_methods(pattern)}
ROUTES = [Route(method, route, TABLE[method, route]) for method, route in sorted(LIVE & TABLE.keys())]
METHODS = {
    route: {method for method, other in LIVE if other == route} | ({"HEAD"} if ("GET", route) in LIVE else set())
    for _, route in LIVE
}
