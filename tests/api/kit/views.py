"""Views that show what the kit does with what real views may do."""
# ruff: noqa: ARG002 (the framework's signatures)

from decimal import Decimal
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from system.api.pagination import PageQuery, encode_cursor, page_body
from system.api.permissions import IsAdmin, IsAnyone, IsOperator, IsUser, IsViewer
from system.api.query import BooleanField, ListField, SortField, TimeField
from system.api.serializers import StrictSerializer
from system.api.views import ApiView, ApiViewSet
from system.errors import ApplicationError, ErrorCode

TOTAL = 45

RAISED: dict[str, Exception] = {
    "conflict": ApplicationError(ErrorCode.SYNC_ALREADY_RUNNING, details={"task_id": "sync_1"}),
    "unavailable": ApplicationError(ErrorCode.UNAVAILABLE, headers={"Retry-After": "7"}),
    "missing": Http404(),
    "forbidden": PermissionDenied(),
    "throttled": exceptions.Throttled(wait=3),
    "database": OperationalError("the connection is closed, password=hunter2"),
    "redis": RedisConnectionError("refused"),
    "data": DataError("value too long"),
    "big": RequestDataTooBig(),
    "suspicious": SuspiciousOperation(),
    "model": ModelValidationError({"name": ["bad"]}),
    "teapot": exceptions.APIException("short and stout"),
    "bug": RuntimeError("secret detail of the inside"),
}


class EchoSerializer(StrictSerializer):
    name = serializers.CharField(max_length=10)
    count = serializers.IntegerField(required=False, allow_null=True)
    ratio = serializers.FloatField(required=False)
    flag = serializers.BooleanField(required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    id = serializers.IntegerField(read_only=True)


class EchoView(ApiView):
    permission_classes = [IsAnyone]

    def get(self, request: Request) -> Response:
        return self.reply({"price": Decimal("99.90"), "set": frozenset({"b", "a"}), "raw": orjson.Fragment(b'{"x":1}')})

    def post(self, request: Request) -> Response:
        return self.reply(request.data, status=201)

    def put(self, request: Request) -> Response:
        return self.reply(EchoSerializer.parse(request))

    def delete(self, request: Request) -> Response:
        return self.reply(status=204)


class ListsQuery(PageQuery):
    sortby = SortField(("price", "created_at"), default="created_at")
    status = ListField(child=serializers.ChoiceField(choices=["on", "off"]))
    ids = ListField(child=serializers.IntegerField(min_value=1), max_length=3)
    in_stock = BooleanField(required=False)
    price_min = serializers.DecimalField(max_digits=12, decimal_places=2, required=False)
    price_max = serializers.DecimalField(max_digits=12, decimal_places=2, required=False)
    since = TimeField(required=False)
    q = serializers.CharField(max_length=50, required=False)


class ListView(ApiView):
    permission_classes = [IsAnyone]

    def get(self, request: Request) -> Response:
        query = ListsQuery.parse(request)
        position = query.window.position("kit")
        start = position[0] if position else query.window.offset
        items: list[Any] = list(range(TOTAL))[start : start + query.window.page_size]
        following = start + query.window.page_size
        cursor = encode_cursor("kit", [following]) if following < TOTAL else None
        return self.reply(page_body(items, TOTAL, query, next_cursor=cursor))


class QueryView(ApiView):
    permission_classes = [IsAnyone]

    def get(self, request: Request) -> Response:
        return self.reply(dict(ListsQuery.parse(request)))


class ErrorView(ApiView):
    permission_classes = [IsAnyone]

    def get(self, request: Request, kind: str) -> Response:
        raise RAISED[kind]


class UndeclaredView(ApiView):
    def get(self, request: Request) -> Response:
        return self.reply("nobody sees this")


class RolesViewSet(ApiViewSet):
    action_permissions = {"user": IsUser, "viewer": IsViewer, "operator": IsOperator, "admin": IsAdmin}

    def user(self, request: Request) -> Response:
        return self.reply()

    viewer = operator = admin = forgotten = user


def plain_view(request: HttpRequest, kind: str) -> HttpResponse:
    """Not built on the kit."""
    if kind == "html":
        return HttpResponse("<h1>no</h1>", status=418)
    raise RAISED[kind]
