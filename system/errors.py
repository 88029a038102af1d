"""Error codes and the one exception that services raise; every interface turns it into its own kind of answer."""

from enum import StrEnum
from typing import Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class ErrorCode(StrEnum):
    """Stable codes of the API (seed 001, section 5): `E`, two digits for the module, three for the error.

    Each member carries its HTTP status, a message for people and a suggestion what to do next, both translated lazily.
    """

    status: int
    message: Promise
    suggestion: Promise

    def __new__(cls, value: str, status: int, message: Promise, suggestion: Promise) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.status, member.message, member.suggestion = status, message, suggestion
        return member

    INTERNAL = "E00001", 500, _("Internal error"), _("Try again later; if it stays, report the request id.")
    INVALID_PARAMETER = "E00002", 400, _("Invalid parameter"), _("Correct the fields named in details.")
    UNAUTHENTICATED = "E00003", 401, _("Not signed in"), _("Sign in and send the token as Authorization: Bearer.")
    FORBIDDEN = "E00004", 403, _("Not allowed"), _("Ask an administrator for the role that may do this.")
    NOT_FOUND = "E00005", 404, _("Not found"), _("Check the address and the identifier.")
    RATE_LIMITED = "E00006", 429, _("Too many requests"), _("Wait for the time in Retry-After, then try again.")
    METHOD_NOT_ALLOWED = "E00007", 405, _("Method not allowed"), _("Use a method named in the Allow header.")
    CONFLICT = "E00008", 409, _("Conflict with the current state"), _("Read the current state and decide again.")
    UNSUPPORTED_MEDIA_TYPE = "E00009", 415, _("Unsupported media type"), _("Send application/json, not compressed.")
    NOT_ACCEPTABLE = "E00010", 406, _("Not acceptable"), _("Accept application/json.")
    PRECONDITION_FAILED = "E00011", 412, _("Precondition failed"), _("Read the resource again and use its new ETag.")
    IDEMPOTENCY_KEY_REUSED = (
        "E00012",
        422,
        _("This Idempotency-Key was used with another body"),
        _("Use a new Idempotency-Key for a new request."),
    )
    UNAVAILABLE = "E00013", 503, _("Service unavailable"), _("Wait for the time in Retry-After, then try again.")
    PAYLOAD_TOO_LARGE = "E00014", 413, _("Request body too large"), _("Send less at once.")
    UPSTREAM_FAILED = "E00015", 502, _("The upstream service failed"), _("Try again later.")
    UPSTREAM_TIMED_OUT = "E00016", 504, _("The upstream service did not answer in time"), _("Try again later.")
    REQUEST_TIMED_OUT = "E00017", 408, _("The request took too long to arrive"), _("Send the request again.")
    GONE = "E00018", 410, _("Gone"), _("The resource was removed for good.")
    LENGTH_REQUIRED = "E00019", 411, _("Content-Length required"), _("Send the body with a Content-Length.")
    URI_TOO_LONG = "E00020", 414, _("Address too long"), _("Shorten the query or send it in a body.")
    PRECONDITION_REQUIRED = "E00021", 428, _("If-Match required"), _("Send the ETag you read as If-Match.")
    HEADERS_TOO_LARGE = "E00022", 431, _("Request headers too large"), _("Send fewer or shorter headers.")
    UNPROCESSABLE = "E00023", 422, _("Well-formed, but impossible here"), _("Correct what details name.")

    SKU_TAKEN = "E01001", 409, _("A product with this SKU exists"), _("Choose another SKU or change that product.")
    CATEGORY_UNKNOWN = "E01002", 422, _("Unknown or ambiguous category"), _("Take a category_id from GET categories.")
    CHANGE_CURSOR_STALE = (
        "E01020",
        410,
        _("This cursor belongs to another copy of the database"),
        _("Read the feed again from the beginning, or from `since`."),
    )
    EXPORT_TOO_LARGE = (
        "E01021",
        422,
        _("Too many products for one export"),
        _("Narrow the export, for example by category, shop or time of creation; CSV and NDJSON take the most."),
    )
    EXPORT_EXPIRED = "E01022", 410, _("The export has expired"), _("Start the export again.")
    EXPORT_UNFINISHED = "E01023", 409, _("The export is not ready"), _("Read its status until it has succeeded.")

    SHOP_UNKNOWN = "E01003", 422, _("Unknown shop"), _("Take a shop_id from GET shops, or leave it out.")
    SKU_FIXED = "E01004", 422, _("The source gives this product its SKU"), _("Leave the field sku as it is.")
    PRICE_MISSING = "E01005", 422, _("Without a price it cannot be published"), _("Set a price above 0 first.")
    BATCH_REJECTED = (
        "E01006",
        422,
        _("Nothing was done, because an operation of the batch failed"),
        _("Correct what details.results names, or choose another policy."),
    )
    PRODUCT_GONE = (
        "E01007",
        409,
        _("The source no longer offers this product"),
        _("Wait until a sync finds it again, or delete it."),
    )
    PRODUCT_NOT_DELETED = "E01008", 409, _("Only a deleted product can be purged"), _("Delete it first.")
    SKU_CODE_TAKEN = "E01009", 409, _("A SKU of this product has this code"), _("Choose another code.")
    STOCK_OF_SKUS = (
        "E01010",
        422,
        _("The stock of a product with SKUs is the sum of theirs"),
        _("Change the stock of its SKUs, or leave the field out."),
    )
    SKU_AMBIGUOUS = "E01011", 409, _("Several products have this SKU"), _("Name the product by its id.")
    TOO_MANY_SKUS = "E01012", 409, _("The product has as many SKUs as it may have"), _("Delete some first.")

    SYNC_ALREADY_RUNNING = (
        "E02001",
        409,
        _("A sync of this source and scope is active"),
        _("Wait for the job named in details, or stop it."),
    )
    SYNC_SOURCE_MISSING = "E02002", 422, _("No source to sync from"), _("Add a source, or name one in `source`.")
    SYNC_SOURCE_UNKNOWN = "E02003", 422, _("Unknown source"), _("Take a name from the list of sources.")
    SYNC_SOURCE_DISABLED = "E02004", 422, _("The source is switched off"), _("Switch the source on first.")
    SYNC_JOB_FINISHED = "E02005", 409, _("The sync job is not active"), _("Only an active job can be stopped.")
    SYNC_JOB_AMBIGUOUS = "E02006", 409, _("Several sync jobs are active"), _("Name one of them in task_id.")
    SYNC_NOT_RESUMABLE = "E02007", 409, _("The sync job cannot be resumed"), _("Start a new sync.")
    SYNC_SOURCE_TAKEN = "E02008", 409, _("A source of this name exists"), _("Choose another name.")
    SYNC_SOURCE_REFUSED = "E02009", 422, _("The source refused"), _("Follow the advice in details.")
    SYNC_QUOTA_EXHAUSTED = "E02010", 409, _("The call quota of the source is used up"), _("Resume when it renews.")
    SYNC_UPSTREAM_FAILED = (
        "E02011",
        502,
        _("The source cannot be reached or answers nonsense"),
        _("Look at the source's address and network, then try again after Retry-After."),
    )
    SYNC_UPSTREAM_TIMED_OUT = (
        "E02012",
        504,
        _("The source did not answer in time"),
        _("Try again after Retry-After; if it lasts, look at the source."),
    )
    SYNC_NOT_HELD = (
        "E02013",
        409,
        _("The sync job does not wait for a decision about delisting"),
        _("Read the job; one that is held for another reason is resumed."),
    )
    SYNC_JOB_OPEN = "E02014", 409, _("The sync job is still active"), _("Wait until it ends, or stop it first.")
    REJECT_NOT_REPLAYABLE = (
        "E02015",
        422,
        _("Nothing of this record is kept that could be replayed"),
        _("Start a sync of this product instead."),
    )
    SYNC_DRY_RUN = "E02016", 409, _("The sync job was a dry run"), _("Start a sync that is none.")

    URL_REFUSED = (
        "E02030",
        400,
        _("This address may not be called"),
        _("Use https and a public host; an administrator can list hosts of yours in OUTBOUND_ALLOWED_HOSTS."),
    )
    SYNC_SOURCE_IN_USE = "E02031", 409, _("The source has jobs or products"), _("Switch the source off instead.")
    SYNC_SOURCE_OPTIONS = (
        "E02032",
        422,
        _("The connector cannot work with these options"),
        _("Correct the option named in details."),
    )
    CALLBACK_REFUSED = (
        "E02033",
        403,
        _("The message is not signed by this source"),
        _("Check the source's name in the address and the app secret stored with it."),
    )
    SCHEDULE_TAKEN = "E02034", 409, _("A schedule of this name exists"), _("Choose another name.")
    WEBHOOKS_TOO_MANY = "E02035", 409, _("You have as many webhooks as allowed"), _("Delete one of them first.")
    WEBHOOK_DISABLED = "E02036", 409, _("The webhook is switched off"), _("Switch the webhook on first.")
    FEED_FOLDER = (
        "E02037",
        422,
        _("The file is not in a folder for feeds"),
        _("Put it below one of FEED_FOLDERS, or add the source with manage.py sources."),
    )

    TASK_STATE = "E03001", 409, _("The task's state does not allow this"), _("Read the task again.")
    QUEUE_UNAVAILABLE = "E03002", 503, _("The task queue does not answer"), _("Try again in a moment.")
    EMAIL_NOT_CONFIGURED = "E03003", 503, _("No mail server is set up"), _("Ask an administrator to set EMAIL_URL.")

    CREDENTIALS_INVALID = "E04001", 401, _("Wrong user name or password"), _("Check both and try again.")
    REFRESH_TOKEN_INVALID = "E04002", 401, _("Invalid refresh token"), _("Sign in again.")
    USER_TAKEN = "E04003", 409, _("This user name or e-mail is taken"), _("Choose another.")
    TIER_REQUIRED = "E04004", 403, _("Your tier does not include this"), _("Ask an administrator for a higher tier.")
    SCOPE_REQUIRED = (
        "E04005",
        403,
        _("The API key's scopes do not include this"),
        _("Use a key with the scope named in details."),
    )
    CREDENTIALS_INCOMPLETE = (
        "E04006",
        401,
        _("Part of the credentials is missing"),
        _("Send the headers named in details, too."),
    )
    ADDRESS_REFUSED = (
        "E04007",
        403,
        _("This API key may not be used from your address"),
        _("Call from an address on the key's list, or make a key with another list."),
    )
    PASSWORD_WRONG = "E04008", 422, _("The current password is wrong"), _("Check it and try again.")
    SCOPE_NOT_GRANTABLE = (
        "E04009",
        403,
        _("Your role does not include these scopes"),
        _("Choose among the scopes named in details."),
    )
    API_KEY_LIMIT = "E04010", 409, _("You have as many API keys as are allowed"), _("Delete one that is not used.")
    API_KEY_EXPIRED = "E04011", 409, _("The API key has expired"), _("Delete it and make a new one.")
    LAST_ADMIN = "E04012", 409, _("This is the last active administrator"), _("Make another administrator first.")
    OWN_ACCOUNT = (
        "E04013",
        409,
        _("You cannot delete your own account"),
        _("Ask another administrator to delete it."),
    )
    USER_NOT_DELETED = "E04014", 409, _("The user is not deleted"), _("Delete the user first; purging is for good.")

    IDEMPOTENCY_KEY_BUSY = (
        "E05001",
        409,
        _("The first request with this Idempotency-Key is still running"),
        _("Wait for the time in Retry-After, then send it again."),
    )


class ApplicationError(Exception):
    """A refusal that the caller should see.

    Args:
        code: decides status, message and suggestion unless they are given.
        details: anything JSON can hold; for invalid input a dict of field name to list of messages.
        headers: extra HTTP headers, such as Retry-After.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str | Promise | None = None,
        *,
        details: object = None,
        suggestion: str | Promise | None = None,
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.code = code
        self.status = status or code.status
        self.message = message or code.message
        self.suggestion = suggestion or code.suggestion
        self.details = details
        self.headers = headers or {}
        super().__init__(code.value)

    def __str__(self) -> str:
        return f"{self.code.value}: {self.message}"
