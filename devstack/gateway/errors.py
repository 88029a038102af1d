"""Refusals of the gateway itself, with the platform's codes, texts and HTTP statuses."""

from http import HTTPStatus


class GatewayError(Exception):
    """A refusal before any business logic: becomes an error body with this code, text and HTTP status."""

    def __init__(self, code: str, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def body(self) -> dict[str, str]:
        """The three keys every captured error body has."""
        return {"error_code": self.code, "error_message": self.message, "exception": self.message}


def unsupported_api() -> GatewayError:
    """Namespace, name or version does not exist."""
    return GatewayError("gw.APIUnsupported", "Unsupported API")


def app_key_missing() -> GatewayError:
    """The path does not end in an app key."""
    return GatewayError("gw.AppKeyMissing", "AppKey is missing")


def app_key_not_found() -> GatewayError:
    """Nobody has this app key."""
    return GatewayError("gw.AppKeyNotFound", "AppKey is not found")


def signature_missing() -> GatewayError:
    """No `_aop_signature`."""
    return GatewayError("gw.SignatureMissing", "Signature is missing")


def signature_invalid() -> GatewayError:
    """Wrong secret or algorithm."""
    return GatewayError("gw.SignatureInvalid", "Invalid signature")


def unauthorized() -> GatewayError:
    """Access token missing, expired or revoked."""
    return GatewayError("401", "Request need user authorized", HTTPStatus.UNAUTHORIZED)


def acl_declined() -> GatewayError:
    """The app has no permission for this API."""
    return GatewayError("gw.APIACLDecline", "AppKey is not allowed(acl)")


def too_frequent() -> GatewayError:
    """More calls a second than the app key may make."""
    return GatewayError("gw.QosAppFrequencyLimit", "App call exceeds limited frequency")


def quota_used_up() -> GatewayError:
    """The day's purchased calls are used up."""
    return GatewayError("gw.NoUsageLeftError", "SLA bill has no usage left")


def param_missing(name: str) -> GatewayError:
    """A required argument is absent or empty."""
    return GatewayError("gw.ParamMissing", f"Required argument {name}")


def param_invalid(name: str) -> GatewayError:
    """An argument has the wrong type."""
    return GatewayError("gw.ParamInvalid", f"Invalid argument {name}")


def bad_grant(message: str) -> GatewayError:
    """The token endpoint refuses a code or a refresh token."""
    return GatewayError("400", message)


def post_only() -> GatewayError:
    """The token endpoint takes POST only."""
    return GatewayError("405", "Request method not supported", HTTPStatus.METHOD_NOT_ALLOWED)
