"""Roles are groups: viewer reads syncs and queues, operator acts, admin manages; each includes those before it."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig

from system.api.permissions import INCLUDED_SCOPES, SCOPES

ROLES = ("viewer", "operator", "admin")
MANAGED = ("products", "syncjobs", "accounts", "system", "auth", "django_celery_beat", "django_celery_results")
# Which actions of the back office a role starts with, by application, on all its tables or on the one named after the
# action; administrators may change that per group.
STARTING_ACTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "viewer": dict.fromkeys(("products", "syncjobs", "system"), ("view",)),
    "operator": {"products": ("view", "change"), "syncjobs": ("view", "change"), "system": ("view", "change_task")},
    "admin": dict.fromkeys(MANAGED, ("view", "add", "change", "delete")),
}

# The scopes a key of somebody may have, by the highest role. Without a role one writes what is one's own: the profile
# and the shops one follows.
GRANTABLE_SCOPES = {
    "": ("read", "write"),
    "viewer": ("read", "write"),
    "operator": ("read", "write", "sync"),
    "admin": SCOPES,
}


def grantable_scopes(roles: Iterable[str]) -> tuple[str, ...]:
    """What the keys of somebody with these effective roles may allow."""
    return GRANTABLE_SCOPES[highest_role(roles)]


def effective_scopes(granted: Iterable[str], roles: Iterable[str]) -> frozenset[str]:
    """What a key allows now: its scopes with those they include, as far as its owner's role reaches."""
    included = frozenset[str]().union(*(INCLUDED_SCOPES[scope] for scope in granted if scope in INCLUDED_SCOPES))
    return included & frozenset(grantable_scopes(roles))


def highest_role(roles: Iterable[str]) -> str:
    """The highest of these roles; "" for none."""
    return max((role for role in roles if role in ROLES), key=ROLES.index, default="")


def effective_roles(names: Iterable[str], *, is_superuser: bool = False) -> frozenset[str]:
    """All roles somebody holds, those a higher one includes among them; a superuser holds every one."""
    held = [ROLES.index(name) for name in names if name in ROLES]
    highest = len(ROLES) - 1 if is_superuser else max(held, default=-1)
    return frozenset(ROLES[: highest + 1])


def ensure_roles(sender: AppConfig, **_: Any) -> None:
    """After the migrations of an application: make the groups, and give each its first permissions there.

    It runs after every migration and after every flush of a test database. What a group was once given is left to the
    administrators; a table that came later is known by permissions younger than any that a role holds.
    """
    from django.contrib.auth.models import Group

    youngest = _youngest_held(sender.label)
    for role in ROLES:
        group, _made = Group.objects.get_or_create(name=role)
        actions = STARTING_ACTIONS[role].get(sender.label, ())
        is_new = not group.permissions.filter(content_type__app_label=sender.label).exists()
        if actions:
            group.permissions.add(*_permissions(sender.label, actions, after=0 if is_new else youngest))


def _youngest_held(application: str) -> int:
    from django.contrib.auth.models import Permission

    held = Permission.objects.filter(content_type__app_label=application, group__name__in=ROLES)
    return held.order_by("-pk").values_list("pk", flat=True).first() or 0


def _permissions(application: str, actions: tuple[str, ...], *, after: int) -> list[Any]:
    from django.contrib.auth.models import Permission

    found = Permission.objects.filter(content_type__app_label=application, pk__gt=after)
    return [each for each in found if each.codename in actions or each.codename.partition("_")[0] in actions]
