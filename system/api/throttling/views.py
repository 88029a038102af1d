"""What a view says about its limits, and how a call to it is charged."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.views import APIView

from system.api.permissions import IsAnyone
from system.api.throttling.charging import address_of, caller_buckets, charge, named_bucket, route_bucket
from system.api.throttling.suspects import refuse_suspect, remember_good, remember_refused
from system.errors import ApplicationError


class ThrottledView(APIView):
    """Charges every call: a user by tier, anybody else by address, and costly actions once more.

    Attributes:
        rate_limited: False for what must answer without Redis, and needs no limit.
        throttle_buckets: names of rates (`system.api.throttling.rates`) by action, each a limit of that route on its
            own: `{"start": ("sync_start",)}`. Of a view without actions the method stands in their place ("get").
        own_rate: name of the rate that stands in for that of callers without a user, counted by itself.
        self_charging_actions: actions that call `charge` themselves, once they have read whose limit counts.
    """

    rate_limited: ClassVar[bool] = True
    throttle_buckets: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    own_rate: ClassVar[str | None] = None
    self_charging_actions: ClassVar[frozenset[str]] = frozenset()

    def charge_caller(self, request: Request) -> Exception | None:
        """Find out who calls and charge the call; before anything is refused, so that refusals are charged as well.

        Returns:
            What is wrong with the credentials, for the caller to raise when nothing else is.

        Raises:
            ApplicationError: RATE_LIMITED.
        """
        if not self.rate_limited or self._action(request) in self.self_charging_actions:
            return None
        problem = self._identify(request)
        try:
            self.charge(request)
        except ApplicationError:
            if problem is not None:
                remember_refused(request._request)
            raise
        return problem

    def charge(self, request: Request, **owners: str) -> None:
        """Take this call from its caller's bucket, from those of its action, and from some of `owners`.

        Args:
            owners: names of further rates with whose bucket it is: `login_name="alice"`.

        Raises:
            ApplicationError: RATE_LIMITED, UNAVAILABLE.
        """
        user = getattr(request._request, "user", None)
        owner = user.pk if user is not None and user.is_authenticated else address_of(request._request)
        buckets = route_bucket(self.own_rate, owner) if self.own_rate else caller_buckets(request._request, user)
        for name in self.throttle_buckets.get(self._action(request), ()):
            buckets += route_bucket(name, owner)
        for name, whose in owners.items():
            buckets += named_bucket(name, whose)
        charge(request._request, buckets)

    def _identify(self, request: Request) -> Exception | None:
        """Try the credentials; public views never look at them."""
        if any(isinstance(permission, IsAnyone) for permission in self.get_permissions()):
            return None
        refuse_suspect(request._request)
        try:
            user: Any = request.user
        except (AuthenticationFailed, ApplicationError) as error:
            return error
        if user.is_authenticated:
            remember_good(request._request)
        return None

    def _action(self, request: Request) -> str:
        return getattr(self, "action", None) or (request.method or "").lower()
