"""What the groups of the back office begin with, and what later tables add to it."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from accounts.roles import ensure_roles

pytestmark = pytest.mark.django_db


def rights(role: str, table: str) -> set[str]:
    """The rights of a role on one table of the catalogue."""
    held = Group.objects.get(name=role).permissions.filter(content_type__app_label="products")
    return set(held.filter(codename__endswith=f"_{table}").values_list("codename", flat=True))


def add_table(name: str) -> None:
    """What Django does for a model that came with a newer version."""
    table = ContentType.objects.create(app_label="products", model=name)
    for action in ("add", "change", "delete", "view"):
        Permission.objects.create(content_type=table, codename=f"{action}_{name}", name=f"Can {action} {name}")


def migrate() -> None:
    """The end of a migration."""
    ensure_roles(apps.get_app_config("products"))


def test_a_later_table_is_given_to_the_roles_of_an_existing_installation() -> None:
    add_table("warehouse")
    migrate()
    assert rights("viewer", "warehouse") == {"view_warehouse"}
    assert rights("operator", "warehouse") == {"view_warehouse", "change_warehouse"}
    assert len(rights("admin", "warehouse")) == 4


def test_what_administrators_took_away_stays_away() -> None:
    Group.objects.get(name="viewer").permissions.remove(Permission.objects.get(codename="view_product"))
    migrate()
    add_table("warehouse")
    migrate()
    assert rights("viewer", "product") == set()
    assert rights("viewer", "warehouse") == {"view_warehouse"}
