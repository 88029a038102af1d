"""A refusal that one field of a body caused."""

from django.utils.functional import Promise

from system.errors import ApplicationError, ErrorCode


class FieldRefused(ApplicationError):
    """What stands in `field` cannot be, for reasons that only the catalogue knows."""

    def __init__(self, code: ErrorCode, field: str, *, reason: str | Promise | None = None, **more: object) -> None:
        super().__init__(code, details={field: [reason or code.message], **more})
        self.field = field
