"""The kernel's own runtime settings, and what an administrator may know of the fixed ones."""

import logging
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from system import runtime
from system.api.throttling import rates
from system.api.throttling.rates import UNLIMITED, parse_rate
from system.runtime import Definition, Fact

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
THROTTLE = "throttle."
RATES = {
    "free": _("Calls of a user of the free tier"),
    "basic": _("Calls of a user of the basic tier"),
    "enterprise": _("Calls of a user of the enterprise tier"),
    "premium": _("Calls of a user of the premium tier"),
    "anonymous": _("Calls of an address without good credentials"),
    "callback": _("Change messages from an address"),
    "login": _("Sign-ins from an address"),
    "login_name": _("Sign-ins with a user name"),
}
# Whoever guesses passwords must always be slowed down.
MAY_BE_UNLIMITED = frozenset({"free", "basic", "enterprise", "premium", "sync_start", "export", "batch"})
LIMITS = _("Rate limits")
KEEPING = _("Keeping")
LOGGING = _("Logging")


def _apply_log_level(level: str) -> None:
    logging.getLogger().setLevel(level)


def _rate(name: str, configured: str) -> Definition:
    return Definition(
        key=f"{THROTTLE}{name}",
        kind="string",
        default=configured,
        group=LIMITS,
        description=RATES.get(name, _("Calls of a route that costs much")),
        check=_rate_problem if name in MAY_BE_UNLIMITED else _limit_problem,
    )


def _rate_problem(text: str) -> Any:
    try:
        parse_rate(text)
    except ValueError:
        return _("Must be a rate such as 100/hour, or 100/hour, burst 20; or unlimited, where that is safe.")
    return None


def _limit_problem(text: str) -> Any:
    return _("Must have a limit.") if text == UNLIMITED else _rate_problem(text)


def _rate_in_force(name: str, configured: str) -> str:
    rate: str = runtime.changed(f"{THROTTLE}{name}", configured)
    return rate


def _span(key: str, configured: int, description: Any, *, maximum: int = 365) -> Definition:
    return Definition(
        key=key,
        kind="integer",
        default=configured,
        group=KEEPING,
        description=description,
        minimum=1,
        maximum=maximum,
    )


def register() -> None:
    """Put the kernel's settings and facts onto the lists."""
    runtime.register(
        *(_rate(name, configured) for name, configured in settings.THROTTLE_RATES.items()),
        _span(
            "idempotency.hours",
            settings.IDEMPOTENCY_HOURS,
            _("How many hours an answer is kept under its Idempotency-Key"),
            maximum=168,
        ),
        _span("logs.retention_days", settings.SYSTEM_LOG_DAYS, _("How many days lines of the system log are kept")),
        _span(
            "tasks.retention_days",
            settings.TASK_RETENTION_DAYS,
            _("How many days ended tasks and sent e-mails are kept"),
        ),
        Definition(
            key="logs.level",
            kind="string",
            default=settings.LOG_LEVEL if settings.LOG_LEVEL in LEVELS else "INFO",
            group=LOGGING,
            description=_("The lowest level of lines on standard error"),
            choices=LEVELS,
            apply=_apply_log_level,
        ),
    )
    rates.overrule_with(_rate_in_force)
    runtime.register_fact(
        Fact("api.max_page_size", _("Most rows a page"), settings.API_MAX_PAGE_SIZE),
        Fact("api.max_depth", _("How deep lists go by page or offset"), settings.API_MAX_DEPTH),
        Fact("api.max_body_bytes", _("Longest request body"), settings.API_MAX_BODY_BYTES),
        Fact("api.max_batch_body_bytes", _("Longest body of a batch"), settings.API_MAX_BATCH_BODY_BYTES),
        Fact("api.input_time_zone", _("Zone of times sent without one"), settings.API_INPUT_TIME_ZONE),
        Fact("auth.access_token_seconds", _("Life of an access token"), settings.ACCESS_TOKEN_SECONDS),
        Fact("security.https_only", _("Served over HTTPS only"), settings.HTTPS_ONLY),
        Fact("logs.to_database", _("Warnings are kept in the system log"), settings.SYSTEM_LOG),
    )
