"""Dates as the platform writes them, and the day its quotas are counted by."""

from datetime import UTC, datetime, time, timedelta

from syncjobs.connectors.coerce import CHINA


def platform_date(moment: datetime) -> str:
    """`yyyyMMddHHmmssSSSZ` in China time, such as 20251118201638000+0800, for DateTime arguments."""
    local = moment.astimezone(CHINA)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}{local:%z}"


def next_china_midnight(now: datetime) -> datetime:
    """When a daily quota begins anew, in UTC."""
    tomorrow = now.astimezone(CHINA).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), CHINA).astimezone(UTC)
