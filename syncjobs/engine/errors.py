"""The five things a source can do to a sync, named by what the caller must do next."""

from datetime import datetime


class EngineError(Exception):
    """Base of the engine's errors. `code` is stable and machine-readable, the text is for people."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code

    default_code = "engine_error"


class RetryableSourceError(EngineError):
    """The source failed in a way that may pass: try the batch again, not before `retry_after` seconds.

    `waits`: nothing failed, it was not asked because it is not our turn.
    """

    default_code = "source_unavailable"

    def __init__(self, message: str, *, code: str = "", retry_after: float | None = None, waits: bool = False) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
        self.waits = waits


class FatalSourceError(EngineError):
    """The source will refuse until somebody changes something: end the job and say what to change."""

    default_code = "source_refused"

    def __init__(self, message: str, *, code: str = "", suggestion: str = "") -> None:
        super().__init__(message, code=code)
        self.suggestion = suggestion


class QuotaExhausted(EngineError):
    """The paid call quota is used up: hold the job, resumable, until `until` (UTC; None = unknown)."""

    default_code = "quota_exhausted"

    def __init__(self, message: str, *, code: str = "", until: datetime | None = None) -> None:
        super().__init__(message, code=code)
        self.until = until


class RecordRejected(EngineError):
    """One record cannot be used: keep its raw payload and the reason, and go on with the next."""

    default_code = "invalid_record"

    def __init__(self, message: str, *, code: str = "", field: str = "", step: str = "normalize") -> None:
        super().__init__(message, code=code)
        self.field = field
        self.step = step


class SyncCancelled(EngineError):
    """Somebody asked the job to stop: give the batch back untouched."""

    default_code = "cancelled"


class LeaseLost(EngineError):
    """Another worker owns the batch now: write nothing more for it."""

    default_code = "lease_lost"
