"""Rate limits (seed 001, section 6): "<number>/<second|minute|hour|day>[, burst <number>]" or "unlimited"."""

from django.core.exceptions import ImproperlyConfigured

from config.env import text
from system.api.throttling.rates import parse_rate

THROTTLE_RATES = {
    # By user: the tier decides.
    "free": text("RATE_FREE", "100/hour"),
    "basic": text("RATE_BASIC", "1000/hour"),
    "enterprise": text("RATE_ENTERPRISE", "10000/hour"),
    "premium": text("RATE_PREMIUM", "unlimited"),
    # By address: calls without credentials, with bad ones, or to an address that does not exist.
    "anonymous": text("RATE_ANONYMOUS", "1000/hour"),
    # By address: change messages that 1688 pushes.
    "callback": text("RATE_CALLBACK", "6000/minute"),
    # By route: sign-in by address and by the name that is tried, costly ones by user.
    "login": text("RATE_LOGIN", "60/minute"),
    "login_name": text("RATE_LOGIN_NAME", "20/minute"),
    "sync_start": text("RATE_SYNC_START", "120/minute"),
    "export": text("RATE_EXPORT", "30/minute"),
    "batch": text("RATE_BATCH", "120/minute"),
}

# Without a limit these would let anybody guess passwords, or flood the machine before saying who they are.
ALWAYS_LIMITED = ("anonymous", "callback", "login", "login_name")

for _name, _rate in THROTTLE_RATES.items():
    try:
        _limited = parse_rate(_rate) is not None
    except ValueError as error:
        raise ImproperlyConfigured(f"RATE_{_name.upper()}: {error}") from None
    if _name in ALWAYS_LIMITED and not _limited:
        raise ImproperlyConfigured(f"RATE_{_name.upper()}: needs a limit; a generous one is 1000000/second")
