"""Every exception becomes an ApplicationError, and every ApplicationError the error body of an API version."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
import redis.exceptions
from django.core import exceptions as django_errors
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from kombu.exceptions import OperationalError as BrokerUnavailable
from rest_framework import exceptions as api_errors
from rest_framework.response import Response
from rest_framework.views import set_rollback

from system.api.renderers import dumps
from system.api.versions import version_of_path
from system.errors import ApplicationError, ErrorCode

Kinds = type[BaseException] | tuple[type[BaseException], ...]
AnyResponse = TypeVar("AnyResponse", bound=Any)

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
# Statement time-outs and lost connections arrive as OperationalError too, and pass.
UNAVAILABLE = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    BrokerUnavailable,
)
# The first code of a status is its general one.
BY_STATUS = {code.status: code for code in reversed(ErrorCode) if code.startswith("E00")} | {
    422: ErrorCode.UNPROCESSABLE
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:  # noqa: ARG001 (the framework's signature)
    """The framework's hook: an answer for whatever a view raised."""
    set_rollback()
    refusal = to_application_error(error)
    response = Response(refusal, status=refusal.status, headers=_headers(refusal), exception=True)
    return _logged(response)


def error_response(request: HttpRequest, refusal: ApplicationError) -> HttpResponse:
    """The same answer outside of API views: unknown addresses, middleware, the last resort."""
    body = dumps(version_of_path(request.path_info).failure(refusal))
    return _logged(HttpResponse(body, "application/json", status=refusal.status, headers=_headers(refusal)))


def error_of_status(status: int) -> ApplicationError:
    """The general error of a status somebody else decided on."""
    fallback = ErrorCode.INTERNAL if status >= ErrorCode.INTERNAL.status else ErrorCode.INVALID_PARAMETER
    return ApplicationError(BY_STATUS.get(status, fallback), status=status)


def to_application_error(error: BaseException) -> ApplicationError:
    """What the caller may know of an exception. What nobody expected is logged here, once, with its traceback."""
    if isinstance(error, ApplicationError):
        return error
    for kinds, translate in TRANSLATIONS:
        if isinstance(error, kinds):
            return translate(error)
    logger.error("Unhandled %s", type(error).__name__, exc_info=error)
    return ApplicationError(ErrorCode.INTERNAL)


def _code(code: ErrorCode) -> Callable[[Any], ApplicationError]:
    return lambda _error: ApplicationError(code)


def _invalid(found: Any) -> ApplicationError:
    return ApplicationError(ErrorCode.INVALID_PARAMETER, details=_with_text_keys(found))


def _with_text_keys(detail: Any) -> Any:
    """The framework names bad list items by their number; JSON knows text keys only."""
    if isinstance(detail, dict):
        return {_text_key(name): _with_text_keys(inner) for name, inner in detail.items()}
    return detail


def _text_key(name: Any) -> str:
    return name if isinstance(name, str) else str(name)


def _invalid_model(error: django_errors.ValidationError) -> ApplicationError:
    return _invalid(error.message_dict if hasattr(error, "error_dict") else error.messages)


def _refused_by_database(error: DataError) -> ApplicationError:
    logger.error("The database refused a value that no validator had refused", exc_info=error)
    return ApplicationError(ErrorCode.INVALID_PARAMETER)


def _unavailable(error: BaseException) -> ApplicationError:
    logger.warning("Unavailable: %s: %s", type(error).__name__, error)
    return ApplicationError(ErrorCode.UNAVAILABLE, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _of_framework(error: api_errors.APIException) -> ApplicationError:
    general = error_of_status(error.status_code)
    general.details = error.detail if isinstance(error, api_errors.ParseError) else None
    wait = getattr(error, "wait", None)
    if wait is not None:
        general.headers["Retry-After"] = str(max(1, round(wait)))
    return general


def _logged(response: AnyResponse) -> AnyResponse:
    # Django would log every 5xx once more, without its cause.
    response._has_been_logged = True
    return response


def _headers(refusal: ApplicationError) -> dict[str, str]:
    if refusal.status == ErrorCode.UNAUTHENTICATED.status:
        return {"WWW-Authenticate": "Bearer", **refusal.headers}
    return refusal.headers


# The first kind that fits decides, so the special ones stand before the general ones.
TRANSLATIONS: tuple[tuple[Kinds, Callable[[Any], ApplicationError]], ...] = (
    (api_errors.ValidationError, lambda error: _invalid(error.detail)),
    (django_errors.ValidationError, _invalid_model),
    (UNAVAILABLE, _unavailable),
    (DataError, _refused_by_database),
    ((Http404, django_errors.ObjectDoesNotExist), _code(ErrorCode.NOT_FOUND)),
    (django_errors.PermissionDenied, _code(ErrorCode.FORBIDDEN)),
    ((api_errors.NotAuthenticated, api_errors.AuthenticationFailed), _code(ErrorCode.UNAUTHENTICATED)),
    (django_errors.RequestDataTooBig, _code(ErrorCode.PAYLOAD_TOO_LARGE)),
    ((django_errors.SuspiciousOperation, UnreadablePostError), _code(ErrorCode.INVALID_PARAMETER)),
    (api_errors.APIException, _of_framework),
)
