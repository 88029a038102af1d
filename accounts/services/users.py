"""Writes about accounts."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.authentication import forget_user
from accounts.models import User
from accounts.roles import ROLES, highest_role
from accounts.services.passwords import check_rules
from accounts.services.ranks import refuse_superior
from system import audit, sql
from system.actor import current_actor
from system.errors import ApplicationError, ErrorCode
from system.preconditions import check_version

ADMIN = "admin"
# A change of any of these can take the last administrator away.
RANKS = frozenset({"status", "role", "groups", "is_superuser"})
# Whoever holds one of these values anew signs in anew.
ENDING = frozenset({"status", "groups", "is_staff", "is_superuser"})
COLUMNS = ("email", "status", "tier", "is_staff", "is_superuser")

# One after the other: two administrators who demote each other at the same time would leave none.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('accounts.administrators'))"
ADMINISTRATORS = """
    SELECT count(*) FROM accounts_user u
    WHERE u.status = 'active' AND u.deleted_at IS NULL AND (u.is_superuser OR EXISTS (
        SELECT 1 FROM accounts_user_groups held JOIN auth_group g ON g.id = held.group_id
        WHERE held.user_id = u.id AND g.name = 'admin'))
"""


class UserChanges(TypedDict, total=False):
    """What may be changed about a user; what is left out stays.

    `role` takes the place of all roles, None for none; `groups` names all groups, roles among them.
    """

    email: str
    status: str
    tier: str
    role: str | None
    groups: Collection[str]
    is_staff: bool
    is_superuser: bool


def create_user(
    username: str,
    email: str,
    password: str,
    *,
    role: str = "",
    tier: str = User.Tier.FREE,
    status: str = User.Status.ACTIVE,
    is_superuser: bool = False,
    any_password: bool = False,
) -> User:
    """Make a user; one with a role may enter the back office.

    Args:
        role: viewer, operator or admin; "" for somebody who reads the catalogue only.
        any_password: hold the password to its length alone. An administrator hands it over (seed 003 does so with one
            from every list of common passwords); those users choose themselves obey all rules.

    Raises:
        ValidationError: a field or the password breaks a rule; by field.
        ApplicationError: USER_TAKEN, or an unknown role.
    """
    if role and role not in ROLES:
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"role": [role]})
    user = User(username=username, email=email.lower(), tier=tier, status=status, is_superuser=is_superuser)
    user.is_staff = bool(role) or is_superuser
    check_rules(user, password, length_only=any_password)
    user.set_password(password)
    user.full_clean(validate_unique=False)
    with _unique(), transaction.atomic():
        user.save()
        user.groups.set(Group.objects.filter(name=role))
        audit.record("user.create", "user", user.pk, after=_snapshot(user) | {"username": username})
    return user


def update_user(user_id: int, changes: UserChanges, *, expected: Collection[int] | None = None) -> User:
    """Change an account; another status, role or right of the back office ends its sessions.

    Args:
        expected: the versions the caller may have seen.

    Raises:
        ApplicationError: NOT_FOUND, 412, USER_TAKEN, LAST_ADMIN, FORBIDDEN (a superuser's account is for superusers).
        ValidationError: a field breaks a rule.
    """
    with _unique(), transaction.atomic():
        user = _locked(user_id, rank=bool(RANKS & changes.keys()))
        check_version(user.version, expected)
        refuse_superior(user)
        before = _snapshot(user)
        _apply(user, changes, before["groups"])
        after = _snapshot(user)
        changed = [name for name, value in after.items() if value != before[name]]
        if changed:
            _save(user, ends=bool(ENDING & set(changed)))
            _keep_an_administrator(before)
            audit.record("user.update", "user", user.pk, before=_part(before, changed), after=_part(after, changed))
    return user


def update_profile(user_id: int, *, email: str | None = None, expected: Collection[int] | None = None) -> User:
    """Change what users may change about themselves; None leaves it.

    Raises:
        ApplicationError: USER_TAKEN; 412.
    """
    with _unique(), transaction.atomic():
        user = _locked(user_id)
        check_version(user.version, expected)
        if email is not None and email.lower() != user.email:
            before, user.email = user.email, email.lower()
            _save(user)
            audit.record("user.update", "user", user.pk, before={"email": before}, after={"email": user.email})
    return user


def delete_user(user_id: int, *, expected: Collection[int] | None = None) -> None:
    """Close an account for good; its row and its names stay until it is purged (seed 003, story 1-3).

    Raises:
        ApplicationError: NOT_FOUND, 412, OWN_ACCOUNT, LAST_ADMIN, FORBIDDEN (a superuser's account is for superusers).
    """
    with transaction.atomic():
        user = _locked(user_id, rank=True)
        check_version(user.version, expected)
        refuse_superior(user)
        if current_actor().user_id == user.pk:
            raise ApplicationError(ErrorCode.OWN_ACCOUNT)
        before = _snapshot(user)
        user.deleted_at = timezone.now()
        _save(user, ends=True)
        _keep_an_administrator(before)
        audit.record("user.delete", "user", user.pk, before=before)


def _locked(user_id: int, *, rank: bool = False) -> User:
    if rank:
        sql.fetch_one(ONE_AT_A_TIME)
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id, deleted_at=None).first()
    if user is None:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return user


def _snapshot(user: User) -> dict[str, Any]:
    groups = sorted(user.groups.values_list("name", flat=True))
    return {name: getattr(user, name) for name in COLUMNS} | {"groups": groups}


def _part(values: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: values[name] for name in names}


def _apply(user: User, changes: UserChanges, held: Collection[str]) -> None:
    for name in COLUMNS:
        if name in changes:
            setattr(user, name, changes[name])  # type: ignore[literal-required] # the columns are its keys
    user.email = user.email.lower()
    if "role" in changes:
        _give_role(user, changes["role"] or "", held)
    if "groups" in changes:
        user.groups.set(Group.objects.filter(name__in=changes["groups"]))
    user.full_clean(validate_unique=False)


def _give_role(user: User, role: str, held: Collection[str]) -> None:
    """One role instead of all others; groups that are no roles stay."""
    if role != highest_role(held):
        user.groups.set(Group.objects.filter(name__in={*held, role} - set(ROLES) | {role}))
        user.is_staff = bool(role) or user.is_superuser


def _save(user: User, *, ends: bool = False) -> None:
    user.version += 1
    user.updated_at = timezone.now()
    user.token_version += ends
    user.save(update_fields=[*COLUMNS, "version", "updated_at", "token_version", "deleted_at"])
    transaction.on_commit(lambda: forget_user(user.pk))


def _keep_an_administrator(before: dict[str, Any]) -> None:
    was_one = before["status"] == User.Status.ACTIVE and (before["is_superuser"] or ADMIN in before["groups"])
    found = sql.fetch_one(ADMINISTRATORS)
    if was_one and found is not None and found[0] == 0:
        raise ApplicationError(ErrorCode.LAST_ADMIN)


@contextmanager
def _unique() -> Iterator[None]:
    """The unique indexes decide, not a look beforehand that another request can overtake."""
    try:
        yield
    except IntegrityError:
        raise ApplicationError(ErrorCode.USER_TAKEN) from None
