"""Django's own error answers: JSON under the API, its plain pages elsewhere."""

import sys

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from system.api.errors import UNAVAILABLE, error_response, to_application_error
from system.errors import ApplicationError, ErrorCode
from system.middleware import is_api


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: suspicious requests, refused hosts, bodies beyond the limit."""
    if is_api(request.path_info):
        return error_response(request, to_application_error(exception))
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    if is_api(request.path_info):
        return error_response(request, to_application_error(exception))
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: unknown addresses."""
    if is_api(request.path_info):
        return error_response(request, to_application_error(exception))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: what middleware raised; Django has logged it."""
    error = sys.exc_info()[1]
    known = to_application_error(error) if isinstance(error, UNAVAILABLE) else ApplicationError(ErrorCode.INTERNAL)
    if is_api(request.path_info):
        return error_response(request, known)
    if known.status == ErrorCode.INTERNAL.status:
        return defaults.server_error(request)
    text = f"{known.message} {known.suggestion}"
    return HttpResponse(text, "text/plain; charset=utf-8", status=known.status, headers=known.headers)
