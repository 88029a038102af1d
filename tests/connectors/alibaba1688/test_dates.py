"""Dates as the platform writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from syncjobs.connectors.alibaba1688.dates import next_china_midnight, platform_date


def test_a_date_argument_is_in_china_time_with_milliseconds() -> None:
    moment = datetime(2026, 1, 1, 17, 5, 9, 7_999, tzinfo=UTC)
    assert platform_date(moment) == "20260102010509007+0800"
    assert platform_date(moment.astimezone(timezone(timedelta(hours=-7)))) == "20260102010509007+0800"


@pytest.mark.parametrize(
    ("now", "midnight"), [("2026-01-01T15:59:59", "2026-01-01T16:00"), ("2026-01-01T16:00", "2026-01-02T16:00")]
)
def test_the_quota_day_ends_at_midnight_in_china(now: str, midnight: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert next_china_midnight(moment) == datetime.fromisoformat(midnight).replace(tzinfo=UTC)
