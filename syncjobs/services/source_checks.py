"""Asking a source whether it works; also for callers who need the difference between "no" and "no answer"."""

import msgspec
from django.conf import settings

from syncjobs.engine.contracts import ApiCheck, CheckReport
from syncjobs.engine.errors import EngineError, FatalSourceError
from syncjobs.models import Source
from syncjobs.services.check_texts import ToldReport, told
from syncjobs.services.sources import connect
from system.crypto import CannotDecrypt
from system.errors import ApplicationError, ErrorCode

TIMED_OUT = frozenset({"timeout"})
# Nobody was reached, or what answered is not the source.
UNREACHABLE = frozenset({"connection_failed", "dns_failed", "tls_failed", "bad_answer", "body_too_large"})


def check_source(source: Source, *, patience: float | None = None) -> CheckReport:
    """Ask the source whether it works: reachable, signed right, permitted for each API.

    Args:
        patience: seconds a caller waits; as long as it takes when left out.

    Raises:
        FatalSourceError: the source's options make no sense.
    """
    connector = connect(source, patience=patience)
    try:
        return connector.check()
    finally:
        connector.close()


def diagnosed(source: Source, *, patience: float | None = None) -> ToldReport:
    """The report in the active language; a source that cannot even be asked has one line that says why."""
    try:
        return told(check_source(source, patience=patience))
    except CannotDecrypt as error:
        line = ApiCheck(name="credentials", ok=False, code="secrets_unreadable", message=str(error))
    except EngineError as error:
        action = getattr(error, "suggestion", "")
        line = ApiCheck(name="options", ok=False, code=error.code, message=error.message, action=action)
    return told(CheckReport(ok=False, checks=(line,)))


def checked(source: Source) -> ToldReport:
    """The report of a source that answered within SYNC_VALIDATE_SECONDS, whatever it answered.

    Raises:
        ApplicationError: 504 or 502 with the report as details when it did not answer; 422 when its options or stored
            secrets cannot be used at all.
    """
    try:
        report = check_source(source, patience=settings.SYNC_VALIDATE_SECONDS)
    except CannotDecrypt as error:
        raise ApplicationError(ErrorCode.SYNC_SOURCE_REFUSED, details={"credentials": [str(error)]}) from error
    except FatalSourceError as error:
        details = {"code": error.code, "message": error.message, "action": error.suggestion}
        raise ApplicationError(ErrorCode.SYNC_SOURCE_REFUSED, details=details) from error
    except EngineError as error:
        raise ApplicationError(_upstream(error.code), details={"code": error.code, "message": error.message}) from error
    failed = next((line.code for line in report.checks if not line.ok), "")
    if failed in TIMED_OUT | UNREACHABLE:
        raise ApplicationError(_upstream(failed), details=msgspec.to_builtins(told(report)))
    return told(report)


def _upstream(code: str) -> ErrorCode:
    return ErrorCode.UPSTREAM_TIMED_OUT if code in TIMED_OUT else ErrorCode.UPSTREAM_FAILED
