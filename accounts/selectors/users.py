"""Reads about users."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from accounts.models import User
from accounts.roles import ROLES, highest_role
from system import sql
from system.api.listing import capped_count
from system.api.pagination import Page, encode_cursor, page_body
from system.api.query import Query

if TYPE_CHECKING:
    from django.db.models import QuerySet

# Public names of the columns to sort by; each is unique, so that a cursor can go on after any row.
SORT_COLUMNS = {"created_at": "pk", "username": "username", "email": "email"}

HELD_ROLES = """
    SELECT held.user_id, array_agg(g.name) FROM accounts_user_groups held JOIN auth_group g ON g.id = held.group_id
    WHERE held.user_id = ANY(%s) AND g.name = ANY(%s) GROUP BY held.user_id
"""


def user_by_identifier(identifier: str) -> User | None:
    """The user of this user name or e-mail address; user names hold no @."""
    if "@" in identifier:
        return User.objects.filter(email__in=[identifier, identifier.lower()]).order_by("id").first()
    return User.objects.filter(username=identifier).first()


def user_names(ids: Collection[int]) -> dict[int, str]:
    """User names by id."""
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "username"))


def role_names(user: User) -> list[str]:
    """The roles a user was given, lowest first; a superuser counts as admin."""
    return held_roles([user])[user.pk]


def held_roles(users: Iterable[User]) -> dict[int, list[str]]:
    """The same of several users, by id, in one query."""
    users = list(users)
    given = dict(sql.fetch_all(HELD_ROLES, [[user.pk for user in users], list(ROLES)]))
    return {user.pk: _in_order(user, given.get(user.pk, [])) for user in users}


def _in_order(user: User, names: list[str]) -> list[str]:
    given = {*names, *(["admin"] if user.is_superuser else [])}
    return [role for role in ROLES if role in given]


def user_view(user: User, roles: list[str] | None = None) -> dict[str, Any]:
    """The public form of a user.

    Args:
        roles: those of the user, when they were read already.
    """
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "status": user.status,
        "tier": user.tier,
        "roles": role_names(user) if roles is None else roles,
        "last_login_at": user.last_login,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def managed_view(user: User, roles: list[str] | None = None) -> dict[str, Any]:
    """What administrators see of a user."""
    view = user_view(user, roles)
    return view | {"role": highest_role(view["roles"]) or None, "deleted_at": user.deleted_at}


def user_detail(user_id: int) -> User | None:
    """A user who is not deleted."""
    return User.objects.filter(pk=user_id, deleted_at=None).first()


def user_page(query: Query) -> Page:
    """One page of users.

    Args:
        query: status, tier, role, q, start_time, end_time, deleted, sortby and order; see `UsersQuery`.
    """
    column, descending = SORT_COLUMNS[query["sortby"]], query["order"] == "desc"
    scope, window, found = f"users:{query['sortby']}:{query['order']}", query.window, _found(query)
    rows = found.order_by(f"-{column}" if descending else column)
    if position := window.position(scope):
        rows = rows.filter(**{f"{column}__{'lt' if descending else 'gt'}": position[0]})
    read = list(rows[window.offset : window.offset + window.page_size + 1])
    shown = read[: window.page_size]
    cursor = encode_cursor(scope, [getattr(shown[-1], column)]) if len(read) > len(shown) else None
    total, exact = capped_count(found)
    page = page_body([], total, query, total_exact=exact, next_cursor=cursor)
    roles = held_roles(shown)
    return replace(page, items=[managed_view(user, roles[user.pk]) for user in shown])


def _found(query: Query) -> "QuerySet[User]":
    found = User.objects.filter(deleted_at__isnull=not query["deleted"])
    given = {
        "status__in": query.get("status"),
        "tier__in": query.get("tier"),
        "created_at__gte": query.get("start_time"),
        "created_at__lt": query.get("end_time"),
    }
    found = found.filter(**{lookup: value for lookup, value in given.items() if value is not None})
    if "role" in query:
        superuser = Q(is_superuser=True) if query["role"] == "admin" else Q()
        found = found.filter(Q(groups__name=query["role"]) | superuser).distinct()
    if "q" in query:
        found = found.filter(Q(username__icontains=query["q"]) | Q(email__icontains=query["q"]))
    return found
