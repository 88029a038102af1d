"""Authorisations that end: only a person can renew them, so somebody is told in time, once for each of the days set."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import ROLES
from syncjobs import knobs
from syncjobs.models import Source, Webhook
from syncjobs.services import deliveries
from system import sql
from system.mail import submit_email

logger = logging.getLogger(__name__)

# The end itself is told of as well.
ENDED = 0
TOLD_SQL = """
INSERT INTO syncjobs_authorizationnotice (source_id, ends_at, days, created_at)
SELECT %s::bigint, %s::timestamptz, unnest(%s::int[]), now() ON CONFLICT DO NOTHING RETURNING days
"""


def tell_of_endings() -> int:
    """Tell of each authorisation that ends soon and was not told of yet; returns how many. Safe for many at once."""
    now, warned = timezone.now(), [ENDED, *knobs.authorization_warn_days()]
    ending = Source.objects.filter(is_enabled=True, refresh_expires_at__lte=now + timedelta(days=warned[-1]))
    return sum(_tell(source, source.refresh_expires_at, warned) for source in ending if source.refresh_expires_at)


def _tell(source: Source, ends_at: datetime, warned: list[int]) -> bool:
    """Of the days that have come, only the last is told of; those before it are only noted."""
    come = [days for days in warned if ends_at <= timezone.now() + timedelta(days=days)]
    with transaction.atomic():
        new = {row["days"] for row in sql.rows(TOLD_SQL, [source.pk, ends_at, come])}
        if come[0] not in new:
            return False
        days = max(0, (ends_at - timezone.now()).days)
        details = {"authorization": {"ends_at": ends_at, "days_left": days}}
        deliveries.source_event(Webhook.Event.SOURCE_AUTHORIZATION_EXPIRING, source, details)
        _write_to_admins(source, ends_at, days)
        transaction.on_commit(lambda: _log(source.name, ends_at, days))
    return True


def _log(name: str, ends_at: datetime, days: int) -> None:
    extra = {"source": name, "ends_at": ends_at.isoformat(), "days_left": days}
    logger.warning("the authorisation of source %s ends in %s days, authorise the app again", name, days, extra=extra)


def _write_to_admins(source: Source, ends_at: datetime, days: int) -> None:
    """One letter to all administrators, where a mail server is set up."""
    if not settings.EMAIL_HOST:
        return
    admins = User.objects.filter(Q(is_superuser=True) | Q(groups__name=ROLES[-1]), status=User.Status.ACTIVE)
    addresses = sorted(set(admins.exclude(email="").values_list("email", flat=True)))
    if not addresses:
        return
    subject = _("1688sync: the authorisation of source {name} ends in {days} days")
    body = _("It ends at {moment} UTC. Authorise the app again with the 1688 account and store the new tokens in it.")
    submit_email(
        to=addresses[0],
        cc=addresses[1:],
        subject=subject.format(name=source.name, days=days),
        body=body.format(moment=f"{ends_at:%Y-%m-%d %H:%M}"),
    )
