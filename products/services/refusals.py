"""A refusal that one field of a body caused."""

from django.utils.functional import Promise

from system.errors import ApplicationError, ErrorCode


class FieldRefused(ApplicationError):
    """What stands in `field` cannot be, for reasons that only the catalogue knows."""

    def __init__(self, code: ErrorCode, field: str, *, reason: str | Promise | None = None, **more: object) -> None:
        self.field, self._reasons, self._more = field, [reason or code.message], more
        super().__init__(code, details=self.details_at(field))

    def details_at(self, place: str) -> dict[str, object]:
        """The details of a body in which the field stands at another place, such as `operations[3].data.sku`."""
        return {place: self._reasons, **self._more}
