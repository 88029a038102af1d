"""The kernel's own runtime settings, and what an administrator may know of the fixed ones."""

import logging
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from system import runtime
from system.runtime import Definition, Fact

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LIMITS = _("Rate limits")
KEEPING = _("Keeping")
LOGGING = _("Logging")


def _apply_log_level(level: str) -> None:
    logging.getLogger().setLevel(level)


def _limit(name: str, default: int, description: Any) -> Definition:
    return Definition(
        key=f"throttle.{name}",
        kind="integer",
        default=default,
        group=LIMITS,
        description=description,
        minimum=1,
        maximum=1_000_000,
    )


def register() -> None:
    """Put the kernel's settings and facts onto the lists."""
    runtime.register(
        _limit("free", 100, _("Requests per hour of a user of the free tier")),
        _limit("basic", 1_000, _("Requests per hour of a user of the basic tier")),
        _limit("enterprise", 10_000, _("Requests per hour of a user of the enterprise tier")),
        _limit("anonymous", 1_000, _("Requests per hour from one address without credentials")),
        _limit("login", 10, _("Sign-in attempts per minute from one address, and for one user name")),
        Definition(
            key="idempotency.hours",
            kind="integer",
            default=settings.IDEMPOTENCY_HOURS,
            group=KEEPING,
            description=_("How many hours an answer is kept under its Idempotency-Key"),
            minimum=1,
            maximum=168,
        ),
        Definition(
            key="logs.retention_days",
            kind="integer",
            default=settings.SYSTEM_LOG_DAYS,
            group=KEEPING,
            description=_("How many days lines of the system log are kept"),
            minimum=1,
            maximum=365,
        ),
        Definition(
            key="tasks.retention_days",
            kind="integer",
            default=settings.TASK_RETENTION_DAYS,
            group=KEEPING,
            description=_("How many days ended tasks and sent e-mails are kept"),
            minimum=1,
            maximum=365,
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
