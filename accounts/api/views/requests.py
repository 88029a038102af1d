"""What the views of this application ask of a request."""

from typing import Any

from rest_framework.request import Request

from accounts.authentication import AuthenticatedUser


def caller(request: Request) -> AuthenticatedUser:
    """Who calls, in a view that lets nobody in without credentials."""
    known: Any = request.user
    signed_in: AuthenticatedUser = known
    return signed_in
