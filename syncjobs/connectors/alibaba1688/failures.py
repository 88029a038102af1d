"""What the platform's refusals mean for a sync, named by what the caller must do next."""

import re
from datetime import UTC, datetime
from http import HTTPStatus

from syncjobs.connectors.alibaba1688.apis import Api
from syncjobs.connectors.alibaba1688.dates import next_china_midnight
from syncjobs.connectors.http import HttpAnswer
from syncjobs.engine.errors import EngineError, FatalSourceError, QuotaExhausted, RetryableSourceError

PREPARING_SECONDS = 2.0

# A clear word about the product itself: that its shop, its category or a permission does not exist is none.
_GONE = re.compile(
    r"^(?:(?:该|此|您的)?(?:商品|产品|货品|宝贝|offer|product)[\s\[【(（:：]*\d*[\]】)）\s]*(?:信息)?)?(?:不存在|已下架|已删除)",
    re.IGNORECASE,
)
_NOT_ALLOWED = re.compile(r"没有.{0,20}权限|无.{0,20}权限")
_SAFE_CODE = re.compile(r"[^\w.\-]+", re.ASCII)
_CODE_LENGTH = 64

_SECRET = "Correct the app secret of the source: it must belong to the app key."  # noqa: S105
_APP_KEY = "Correct the app key of the source: it is the number shown in the open platform console."
_OUR_FAULT = "This is a fault of the connector or a change of the platform: report it with this code."
_REFUSALS = {
    "gw.SignatureInvalid": ("signature_invalid", "The gateway refuses the signature.", _SECRET),
    "gw.SignatureMissing": ("signature_invalid", "The gateway found no signature.", _SECRET),
    "gw.AppKeyNotFound": ("app_key_unknown", "The gateway does not know the app key.", _APP_KEY),
    "gw.AppKeyMissing": ("app_key_unknown", "The gateway found no app key.", _APP_KEY),
    "gw.APIUnsupported": ("api_unsupported", "The gateway does not know {api}.", _OUR_FAULT),
    "gw.APIACLDecline": (
        "api_not_granted",
        "The app may not call {api}.",
        "Apply for {api} in the open platform console, or use a source that needs fewer APIs.",
    ),
    "gw.ParamMissing": ("param_missing", "{api} misses an argument.", _OUR_FAULT),
}
THROTTLED = "gw.QosAppFrequencyLimit"
# What the platform says of an API that this app cannot have, or cannot have yet.
NOT_GRANTED = frozenset({"api_not_granted", "api_unsupported"})
USED_UP = "gw.NoUsageLeftError"
UNAUTHORIZED = "401"
PREPARING = "500_2"


class BusinessError(Exception):
    """An API answered, and said no for a reason of its own (HTTP 200, the envelope of that API)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    @property
    def is_gone(self) -> bool:
        """Whether it clearly says that the product does not exist any more."""
        return bool(_GONE.match(self.text.strip())) and not _NOT_ALLOWED.search(self.text)

    def as_engine_error(self, api: Api) -> EngineError:
        """What a refusal of a whole call means; for one product it is no engine error at all."""
        if _NOT_ALLOWED.search(self.text):
            return FatalSourceError(
                f"{api.name} refuses this account.",
                code="source_refused",
                suggestion="Authorise the app with the account that owns the products.",
            )
        return RetryableSourceError(f"{api.name} answers with a business error.", code="source_unavailable")


class TokenRefusedError(Exception):
    """The gateway wants another access token."""


def gateway_error(code: str, api: Api, answer: HttpAnswer, backoff: float) -> EngineError | None:
    """What a gateway code, or failing that the HTTP status, means; None when neither speaks of an error.

    `backoff` is how many seconds to wait after "too fast", if the answer does not ask for more.
    """
    if code == THROTTLED or (not code and answer.status == HTTPStatus.TOO_MANY_REQUESTS):
        wait = max(backoff, answer.retry_after() or 0.0)
        return RetryableSourceError("The app calls more often than it may.", code="rate_limited", retry_after=wait)
    if code == USED_UP:
        until = next_china_midnight(datetime.fromtimestamp(answer.answered_at(), UTC))
        return QuotaExhausted("The app's calls are used up.", until=until)
    if code.startswith("gw."):
        return _refused(code, api)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return RetryableSourceError(
            f"{api.name} answered HTTP {answer.status}.", code="server_error", retry_after=answer.retry_after()
        )
    return None


def _refused(gateway_code: str, api: Api) -> FatalSourceError:
    shown = _SAFE_CODE.sub("?", gateway_code)[:_CODE_LENGTH]
    unknown = ("gateway_refused", f"The gateway refuses {{api}} with the code {shown}.", _OUR_FAULT)
    code, message, suggestion = _REFUSALS.get(gateway_code, unknown)
    return FatalSourceError(message.format(api=api.name), code=code, suggestion=suggestion.format(api=api.name))


def needs_authorization() -> FatalSourceError:
    """The account's owner must log in once more."""
    return FatalSourceError(
        "The authorisation of this source has ended.",
        code="needs_authorization",
        suggestion="Authorise the app again with the 1688 account and store the new tokens in the source.",
    )


def broken_answer(api: Api, status: int) -> RetryableSourceError:
    """Not the JSON it should be: a captcha page, a cut answer, another shape."""
    return RetryableSourceError(f"{api.name} answered HTTP {status} with something unreadable.", code="bad_answer")


def preparing(api: Api) -> RetryableSourceError:
    """`500_2`: the platform is still loading the data."""
    return RetryableSourceError(
        f"{api.name} is preparing its data.", code="data_preparing", retry_after=PREPARING_SECONDS
    )
