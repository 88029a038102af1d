"""Following shops (seed 002, `POST /shop/follow`)."""

from django.db import transaction
from django.utils import timezone

from products.models import Shop, ShopFollow
from system import audit
from system.errors import ApplicationError, ErrorCode
from system.sql import execute

# A fetch of an existing row would not see one that another transaction is just adding.
_FOLLOW = """
    INSERT INTO products_shopfollow (user_id, shop_id, created_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""


@transaction.atomic
def follow_shop(user_id: int, shop_id: int) -> None:
    """Follow a shop; once followed, it stays so however often this is called.

    Raises:
        ApplicationError: 404 there is no such shop.
    """
    _require(shop_id)
    if execute(_FOLLOW, [user_id, shop_id, timezone.now()]):
        audit.record("shop.follow", "shop", shop_id, after={"followed": True})


@transaction.atomic
def unfollow_shop(user_id: int, shop_id: int) -> None:
    """Follow a shop no longer; nothing happens if it was not followed.

    Raises:
        ApplicationError: 404 there is no such shop.
    """
    _require(shop_id)
    if ShopFollow.objects.filter(user_id=user_id, shop_id=shop_id).delete()[0]:
        audit.record("shop.unfollow", "shop", shop_id, before={"followed": True})


def forget_follower(user_id: int) -> None:
    """Remove what a user who is being erased follows."""
    ShopFollow.objects.filter(user_id=user_id).delete()


def _require(shop_id: int) -> None:
    if not Shop.objects.filter(pk=shop_id).exists():
        raise ApplicationError(ErrorCode.NOT_FOUND)
