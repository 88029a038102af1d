"""GET shops, shops/{id}; POST and DELETE shops/{id}/follow."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from products.models import Shop, ShopFollow
from products.records import ShopRecord
from products.selectors.shops import followed_shops
from products.services.follows import follow_shop, forget_follower
from system.models import AuditLog
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db


def shop(source_id: str, name: str, **changes: Any) -> Shop:
    return Shop.objects.create(source_id=source_id, name=name, **({"source": "demo"} | changes))


@pytest.fixture
def shops(db: None) -> list[Shop]:
    """Three shops, the middle one of another source."""
    return [
        shop("1", "甲 50%_off"),
        shop("2", "乙", source="other"),
        shop("3", "丙", location="深圳", url="https://a.example"),
    ]


def ids(page: dict[str, Any]) -> list[int]:
    return [item["id"] for item in page["items"]]


@pytest.mark.shows("002/POST shop/follow")
def test_a_followed_shop_is_followed_once_and_remembered(
    reader: ApiClient, plain_user: User, shops: list[Shop]
) -> None:
    for _ in range(2):
        assert reader.post(f"shops/{shops[0].pk}/follow")["followed"] is True

    assert list(ShopFollow.objects.values_list("user_id", "shop_id")) == [(plain_user.pk, shops[0].pk)]
    assert list(AuditLog.objects.filter(target_type="shop").values_list("action", "target_id", "user_id")) == [
        ("shop.follow", str(shops[0].pk), plain_user.pk)
    ]
    followed = [{"id": shops[0].pk, "name": "甲 50%_off"}]
    assert followed_shops(plain_user.pk) == reader.get("auth/profile")["followed_shops"] == followed


def test_unfollowing_is_as_repeatable_as_following(reader: ApiClient, shops: list[Shop]) -> None:
    reader.post(f"shops/{shops[0].pk}/follow")

    for _ in range(2):
        reader.delete(f"shops/{shops[0].pk}/follow")

    assert reader.get(f"shops/{shops[0].pk}")["followed"] is False
    assert AuditLog.objects.filter(action="shop.unfollow").count() == 1


@pytest.mark.parametrize("number", ["0", "x", "9" * 19, "4242"])
def test_a_shop_that_is_not_there_is_404(reader: ApiClient, number: str) -> None:
    reader.get(f"shops/{number}", expect=404)
    reader.post(f"shops/{number}/follow", expect=404)
    reader.delete(f"shops/{number}/follow", expect=404)


def test_a_shop_knows_how_many_products_it_has(reader: ApiClient) -> None:
    for number in ("1", "2"):
        apply(record(number, shop=ShopRecord(source_id="b2b-1", name="厂", url="https://a.example", location="深圳")))
    found = Shop.objects.get()

    detail = reader.get(f"shops/{found.pk}")

    assert detail.pop("created_at") == detail.pop("updated_at")
    assert detail == {
        "id": found.pk,
        "source": "demo",
        "source_id": "b2b-1",
        "name": "厂",
        "url": "https://a.example",
        "location": "深圳",
        "followed": False,
        "product_count": 2,
    }
    assert reader.get("shops", product_count="true")["items"][0]["product_count"] == 2
    assert "product_count" not in reader.get("shops")["items"][0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [2, 1, 0]),
        ("order=asc", [0, 1, 2]),
        ("source=demo", [2, 0]),
        ("q=乙", [1]),
        ("q=%25_", [0]),
        ("q=_", [0]),
        ("followed=true", [1]),
        ("followed=false", [2, 0]),
        ("followed=true&source=demo", []),
        ("offset=1&limit=1", [1]),
    ],
)
def test_filters_and_orders(reader: ApiClient, shops: list[Shop], query: str, expected: list[int]) -> None:
    reader.post(f"shops/{shops[1].pk}/follow")

    assert ids(reader.get(f"shops?{query}")) == [shops[place].pk for place in expected]


@pytest.mark.parametrize("sort", ["id", "name", "created_at"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_walk_by_cursor_meets_every_shop_once(reader: ApiClient, shops: list[Shop], sort: str, order: str) -> None:
    seen, cursor = list[int](), None
    while True:
        page = reader.get("shops", sortby=sort, order=order, limit=1, **({"cursor": cursor} if cursor else {}))
        seen += ids(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == ids(reader.get("shops", sortby=sort, order=order))
    assert len(seen) == 3


@pytest.mark.parametrize(
    "query", ["foo=1", "q=", "followed=yes", "sortby=url", "product_count=1", "source=" + "x" * 51]
)
def test_a_bad_parameter_is_named(reader: ApiClient, query: str) -> None:
    assert query.partition("=")[0] in reader.get(f"shops?{query}", expect=400)["details"]


def test_an_unknown_parameter_of_one_shop_is_named(reader: ApiClient, shops: list[Shop]) -> None:
    assert "fields" in reader.get(f"shops/{shops[0].pk}?fields=x", expect=400)["details"]


def test_nobody_sees_whom_others_follow(reader: ApiClient, shops: list[Shop], viewer: User) -> None:
    follow_shop(viewer.pk, shops[0].pk)

    assert reader.get(f"shops/{shops[0].pk}")["followed"] is False
    assert reader.get("shops", followed="true")["items"] == []


def test_an_erased_user_follows_nothing(shops: list[Shop], plain_user: User, viewer: User) -> None:
    for user in (plain_user, viewer):
        follow_shop(user.pk, shops[0].pk)

    forget_follower(plain_user.pk)

    assert list(ShopFollow.objects.values_list("user_id", flat=True)) == [viewer.pk]


@pytest.mark.django_db(transaction=True)
def test_following_at_the_same_time_is_following_once() -> None:
    found = shop("1", "甲")

    def follow(_: int) -> None:
        try:
            follow_shop(1, found.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(follow, range(16)))

    assert ShopFollow.objects.count() == 1
    assert AuditLog.objects.filter(action="shop.follow").count() == 1
