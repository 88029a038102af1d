"""The live route table, and what is expected of each of its routes."""

from dataclasses import dataclass, field
from typing import Any

from config.api_urls import routes
from system.api.permissions import Permission

ROLES = ("anyone", "plain_user", "viewer", "operator", "admin")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a route promises.

    Attributes:
        who: the lowest of ROLES that may call it, whatever the tier.
        scope: what an API key must hold for it, if it writes and is not for admins (see `Route.scope`).
        paying: also for users without that role whose tier is enterprise or premium.
        keyless: it manages sessions or keys: a token is enough in every version, a key alone never.
        path: a concrete address, its placeholders filled from the world of `conftest.py`; None: the route itself.
        body: what a caller who may sends; "{name}" is filled from the world as text, "{#name}" as it is.
        status: the answer to that caller.
        enveloped: False for the bare health body.
        query: whether it takes declared query parameters only.
        counted: whether its queries are counted.
        settled: it is accepted work, which version 1 answers with 200 and later ones with 202.
    """

    who: str
    scope: str = "write"
    paying: bool = False
    keyless: bool = False
    path: str | None = None
    body: dict[str, Any] | None = None
    status: int = 200
    enveloped: bool = True
    query: bool = False
    counted: bool = False
    settled: bool = False

    def status_in(self, version: str) -> int:
        """The status of a good call in a version."""
        return 202 if self.settled and version != "v1" else self.status


LOGIN = {"username": "viewer", "password": "{password}"}
SESSION = {"refresh_token": "{refresh_token}"}
LETTER = {"to": "user@example.com", "subject": "Welcome", "body": "Thank you!"}
WINDOW = {"sync_type": "incremental", "start_date": "2025-11-01", "end_date": "2025-11-12"}

FEED = {"path": "/nowhere/goods.ndjson", "mapping": {"id": "id", "title": "title"}}
NEW_SOURCE = {"name": "second", "kind": "feed", "options": FEED}
NEW_SCHEDULE = {"name": "every morning", "type": "full", "cron": "0 6 * * *"}
NEW_WEBHOOK = {"url": "https://8.8.8.8/hooks", "events": ["job.finished"]}
NEW_USER = {"username": "testuser", "email": "test@example.com", "password": "password123"}
PRODUCT = {"sku": "contract-new", "title": "茶杯", "price": 9.9, "attributes": {"some_name": "kept"}}
SKU = {"code": "RED", "spec": {"颜色": "红"}, "price": 9.9}

TABLE: dict[tuple[str, str], Row] = {
    ("GET", "products"): Row(who="plain_user", query=True, counted=True),
    ("GET", "products/<pk>"): Row(who="plain_user", path="products/{product}", query=True, counted=True),
    # What a route needs in its query stands in its path; such routes show their strictness in tests of their own.
    ("GET", "products/search"): Row(who="plain_user", path="products/search?q=茶杯", counted=True),
    ("GET", "products/search/suggestions"): Row(
        who="plain_user", path="products/search/suggestions?q=茶", counted=True
    ),
    ("GET", "products/changes"): Row(who="plain_user", query=True, counted=True),
    ("GET", "products/export"): Row(who="operator", paying=True, path="products/export?async=true&q=茶", status=202),
    ("GET", "products/exports/<task_id>"): Row(
        who="operator", paying=True, path="products/exports/{export}", query=True, counted=True
    ),
    ("GET", "products/exports/<task_id>/download"): Row(
        who="operator", paying=True, path="products/exports/{export}/download", status=409, query=True
    ),
    ("GET", "products/<pk>/history"): Row(
        who="plain_user", path="products/{product}/history", query=True, counted=True
    ),
    ("GET", "shops"): Row(who="plain_user", query=True, counted=True),
    ("GET", "shops/<pk>"): Row(who="plain_user", path="shops/{shop}", query=True, counted=True),
    ("POST", "shops/<pk>/follow"): Row(who="plain_user", path="shops/{shop}/follow"),
    ("DELETE", "shops/<pk>/follow"): Row(who="plain_user", path="shops/{shop}/follow", status=204),
    ("POST", "products"): Row(who="operator", body=PRODUCT, status=201),
    ("POST", "products/batch"): Row(who="operator", body={"operations": [{"op": "create", "data": PRODUCT}]}),
    ("PUT", "products/<pk>"): Row(who="operator", path="products/{product}", body={**PRODUCT, "sku": "contract-0"}),
    ("PATCH", "products/<pk>"): Row(who="operator", path="products/{product}", body={"price": 5}),
    ("DELETE", "products/<pk>"): Row(who="operator", path="products/{product}", status=204),
    ("POST", "products/<pk>/publish"): Row(who="operator", path="products/{product}/publish"),
    ("POST", "products/<pk>/disable"): Row(who="operator", path="products/{product}/disable"),
    ("POST", "products/<pk>/release"): Row(who="operator", path="products/{product}/release"),
    ("POST", "products/<pk>/restore"): Row(who="operator", path="products/{deleted_product}/restore"),
    ("GET", "products/conflicts"): Row(who="operator", query=True, counted=True),
    ("POST", "products/release"): Row(who="operator", body={"source": "contract"}, status=202),
    ("POST", "products/<pk>/purge"): Row(who="admin", path="products/{deleted_product}/purge", status=204),
    ("GET", "products/<pk>/skus"): Row(who="plain_user", path="products/{product}/skus", query=True, counted=True),
    ("POST", "products/<pk>/skus"): Row(who="operator", path="products/{product}/skus", body=SKU, status=201),
    ("GET", "products/<pk>/skus/<sku_id>"): Row(who="plain_user", path="products/{product}/skus/{sku}", counted=True),
    ("PUT", "products/<pk>/skus/<sku_id>"): Row(who="operator", path="products/{product}/skus/{sku}", body=SKU),
    ("PATCH", "products/<pk>/skus/<sku_id>"): Row(
        who="operator", path="products/{product}/skus/{sku}", body={"stock": 5}
    ),
    ("DELETE", "products/<pk>/skus/<sku_id>"): Row(who="operator", path="products/{product}/skus/{sku}", status=204),
    ("GET", "categories"): Row(who="plain_user", query=True, counted=True),
    ("GET", "categories/<pk>"): Row(who="plain_user", path="categories/{category}", query=True, counted=True),
    ("POST", "sync/start"): Row(who="operator", scope="sync", settled=True, body={"type": "full"}),
    ("POST", "sync/stop"): Row(who="operator", scope="sync", settled=True, body={"task_id": "{running}"}),
    ("POST", "sync/resume"): Row(who="operator", scope="sync", settled=True, body={"task_id": "{stopped}"}),
    ("POST", "sync/validate"): Row(who="operator", scope="sync", body={"type": "full"}),
    ("GET", "sync/status"): Row(who="viewer", query=True, counted=True),
    ("GET", "sync/logs"): Row(who="viewer", query=True, counted=True),
    ("GET", "sync/jobs"): Row(who="viewer", query=True, counted=True),
    ("GET", "queue/tasks"): Row(who="viewer", query=True, counted=True),
    ("GET", "queue/tasks/<task_id>"): Row(who="viewer", path="queue/tasks/{task}", query=True, counted=True),
    ("POST", "queue/tasks/<task_id>/retry"): Row(
        who="operator", scope="sync", path="queue/tasks/{failed_task}/retry", settled=True
    ),
    ("DELETE", "queue/tasks/<task_id>"): Row(who="operator", scope="sync", path="queue/tasks/{task}"),
    ("GET", "queue/stats"): Row(who="viewer", query=True, counted=True),
    ("POST", "tasks/email"): Row(who="admin", settled=True, body=LETTER),
    ("POST", "tasks/sync"): Row(who="admin", settled=True, body=WINDOW),
    ("GET", "sync/sources"): Row(who="viewer", query=True, counted=True),
    ("POST", "sync/sources"): Row(who="operator", scope="sync", body=NEW_SOURCE, status=201),
    ("GET", "sync/sources/<pk>"): Row(who="viewer", path="sync/sources/{unused}", query=True, counted=True),
    ("PUT", "sync/sources/<pk>"): Row(
        who="operator", scope="sync", path="sync/sources/{unused}", body={"options": FEED}
    ),
    ("PATCH", "sync/sources/<pk>"): Row(
        who="operator", scope="sync", path="sync/sources/{unused}", body={"is_enabled": False}
    ),
    ("DELETE", "sync/sources/<pk>"): Row(who="operator", scope="sync", path="sync/sources/{unused}", status=204),
    ("POST", "sync/sources/<pk>/check"): Row(who="operator", scope="sync", path="sync/sources/{unused}/check", body={}),
    ("GET", "sync/schedules"): Row(who="viewer", query=True, counted=True),
    ("POST", "sync/schedules"): Row(who="operator", scope="sync", body=NEW_SCHEDULE, status=201),
    ("GET", "sync/schedules/<pk>"): Row(who="viewer", path="sync/schedules/{schedule}", query=True, counted=True),
    ("PUT", "sync/schedules/<pk>"): Row(
        who="operator", scope="sync", path="sync/schedules/{schedule}", body=NEW_SCHEDULE
    ),
    ("PATCH", "sync/schedules/<pk>"): Row(
        who="operator", scope="sync", path="sync/schedules/{schedule}", body={"is_enabled": False}
    ),
    ("DELETE", "sync/schedules/<pk>"): Row(who="operator", scope="sync", path="sync/schedules/{schedule}", status=204),
    # Without the form that only 1688 can sign; tests/api/test_callbacks.py sends signed ones.
    ("POST", "sync/callbacks/<source>"): Row(who="anyone", path="sync/callbacks/contract", status=400),
    ("GET", "webhooks"): Row(who="operator", query=True, counted=True),
    ("POST", "webhooks"): Row(who="operator", scope="sync", body=NEW_WEBHOOK, status=201),
    ("GET", "webhooks/<pk>"): Row(who="operator", path="webhooks/{webhook}", query=True, counted=True),
    ("PUT", "webhooks/<pk>"): Row(who="operator", scope="sync", path="webhooks/{webhook}", body=NEW_WEBHOOK),
    ("PATCH", "webhooks/<pk>"): Row(
        who="operator", scope="sync", path="webhooks/{webhook}", body={"description": "shop"}
    ),
    ("DELETE", "webhooks/<pk>"): Row(who="operator", scope="sync", path="webhooks/{webhook}", status=204),
    ("POST", "webhooks/<pk>/secret"): Row(who="operator", scope="sync", path="webhooks/{webhook}/secret", body={}),
    ("GET", "webhooks/<pk>/deliveries"): Row(
        who="operator", path="webhooks/{webhook}/deliveries", query=True, counted=True
    ),
    ("POST", "webhooks/<pk>/deliveries/<delivery_id>/redeliver"): Row(
        who="operator", scope="sync", path="webhooks/{webhook}/deliveries/{delivery}/redeliver", body={}, status=202
    ),
    ("GET", "sync/statistics"): Row(who="viewer", query=True, counted=True),
    ("GET", "sync/quota"): Row(who="viewer", query=True, counted=True),
    ("GET", "sync/jobs/<task_id>"): Row(who="viewer", path="sync/jobs/{running}", query=True, counted=True),
    ("GET", "sync/jobs/<task_id>/changes"): Row(
        who="viewer", path="sync/jobs/{stopped}/changes", query=True, counted=True
    ),
    ("GET", "sync/jobs/<task_id>/events"): Row(
        who="viewer", path="sync/jobs/{running}/events", query=True, counted=True
    ),
    ("GET", "sync/jobs/<task_id>/rejects"): Row(
        who="viewer", path="sync/jobs/{stopped}/rejects", query=True, counted=True
    ),
    ("GET", "sync/jobs/<task_id>/rejects/<pk>"): Row(
        who="viewer", path="sync/jobs/{stopped}/rejects/{reject}", query=True, counted=True
    ),
    ("POST", "sync/jobs/<task_id>/rejects/<pk>/retry"): Row(
        who="operator", scope="sync", path="sync/jobs/{stopped}/rejects/{reject}/retry", body={}
    ),
    ("POST", "sync/jobs/<task_id>/rejects/retry"): Row(
        who="operator",
        scope="sync",
        path="sync/jobs/{stopped}/rejects/retry",
        body={"code": ["invalid_price"]},
        status=202,
    ),
    ("GET", "sync/jobs/<task_id>/rejects/export"): Row(
        who="viewer", path="sync/jobs/{stopped}/rejects/export?format=zip", status=400
    ),
    ("GET", "sync/sources/<pk>/drift"): Row(who="viewer", path="sync/sources/{unused}/drift", query=True, counted=True),
    ("POST", "sync/replay"): Row(who="operator", scope="sync", body={"since": "7d"}, status=202),
    ("GET", "sync/answers"): Row(who="viewer", query=True, counted=True),
    ("GET", "sync/answers/<pk>"): Row(who="viewer", path="sync/answers/{raw}", query=True, counted=True),
    ("GET", "sync/jobs/<task_id>/compare"): Row(
        who="viewer", path="sync/jobs/{stopped}/compare", query=True, counted=True
    ),
    ("POST", "sync/jobs/<task_id>/approve"): Row(
        who="operator", scope="sync", path="sync/jobs/{held}/approve", body={}, status=202
    ),
    ("POST", "sync/jobs/<task_id>/undo"): Row(who="operator", scope="sync", path="sync/jobs/{stopped}/undo", body={}),
    ("POST", "auth/login"): Row(who="anyone", body=LOGIN),
    ("POST", "auth/refresh"): Row(who="anyone", body=SESSION),
    ("POST", "auth/logout"): Row(who="plain_user", keyless=True, body=SESSION),
    ("POST", "auth/password"): Row(
        who="plain_user", keyless=True, body={"current_password": "{password}", "new_password": "another horse 1688"}
    ),
    ("GET", "auth/profile"): Row(who="plain_user", query=True, counted=True),
    ("PATCH", "auth/profile"): Row(who="plain_user", body={"email": "contract@example.com"}),
    ("GET", "auth/api-keys"): Row(who="operator", paying=True, keyless=True, query=True, counted=True),
    ("POST", "auth/api-keys"): Row(who="operator", paying=True, keyless=True, body={"name": "shop system"}, status=201),
    ("DELETE", "auth/api-keys/<pk>"): Row(
        who="operator", paying=True, keyless=True, path="auth/api-keys/{key}", status=204
    ),
    ("POST", "auth/api-keys/<pk>/reset"): Row(
        who="operator", paying=True, keyless=True, path="auth/api-keys/{key}/reset"
    ),
    ("GET", "users"): Row(who="admin", query=True, counted=True),
    ("POST", "users"): Row(who="admin", body=NEW_USER, status=201),
    ("GET", "users/<pk>"): Row(who="admin", path="users/{user}", query=True, counted=True),
    ("PUT", "users/<pk>"): Row(who="admin", path="users/{user}", body={"email": "other@example.com"}),
    ("PATCH", "users/<pk>"): Row(who="admin", path="users/{user}", body={"status": "suspended"}),
    ("DELETE", "users/<pk>"): Row(who="admin", path="users/{user}", status=204),
    ("POST", "users/<pk>/purge"): Row(who="admin", path="users/{deleted_user}/purge", status=204),
    ("GET", "health"): Row(who="anyone", enveloped=False),
    ("GET", "system/health"): Row(who="anyone"),
    ("GET", "system/info"): Row(who="admin", query=True),
    ("GET", "system/config"): Row(who="admin", query=True, counted=True),
    ("PUT", "system/config"): Row(who="admin", body={"settings": [{"key": "sync.batch_size_default", "value": 200}]}),
    ("GET", "system/logs"): Row(who="admin", query=True, counted=True),
    ("GET", "system/audit"): Row(who="admin", query=True, counted=True),
}


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    route: str
    row: Row = field(hash=False)

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def scope(self) -> str:
        """The scope an API key needs; "" where credentials are not looked at."""
        if self.row.who in {"anyone", "admin"}:
            return self.row.who.replace("anyone", "")
        return "read" if self.method == "GET" else self.row.scope

    def path(self, world: dict[str, Any]) -> str:
        """A concrete address."""
        return (self.row.path or self.route).format(**world)

    def body(self, world: dict[str, Any]) -> dict[str, Any] | None:
        """A body that is accepted."""
        if self.row.body is None:
            return None
        filled: dict[str, Any] = _filled(self.row.body, world)
        return filled


def _filled(value: Any, world: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, world) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, world) for inner in value]
    if isinstance(value, str) and value.startswith("{#") and value.endswith("}"):
        return world[value[2:-1]]
    return value.format(**world) if isinstance(value, str) else value


def live_permission(method: str, route: str) -> tuple[Permission, bool]:
    """What decides about an operation in the view that serves it, and whether that takes a token without a key."""
    callback: Any = next(pattern.callback for pattern in routes if str(pattern.pattern) == route)
    view = getattr(callback, "cls", None) or callback.view_class
    view = view()
    view.action = getattr(callback, "actions", {}).get(method.lower())
    (permission,) = view.get_permissions()
    return permission, view.action in view.keyless_actions


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
