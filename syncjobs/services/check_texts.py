"""A source's check in the reader's language: what each line says, what to do, and what works as things stand."""

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from syncjobs.engine.contracts import ApiCheck, CheckReport

APPLY = _("Apply for %(api)s in the console of the open platform; approval of an app does not grant APIs by itself.")
AUTHORIZE = _("Authorise the app again with the 1688 account and store the new tokens in the source.")
WAIT = _("Try again in a few minutes; if it lasts, look at the address of the source and the network.")
REPORT = _("This is a fault of the connector or a change of the platform: report it with this code.")
# What happened, and what to do. Lines without a state, and other codes, are told in the connector's own English.
CODES: dict[str, tuple[Promise, Promise]] = {
    "api_not_granted": (_("The app may not call %(api)s."), APPLY),
    "api_unsupported": (_("The gateway does not know %(api)s: wrong name, namespace or version."), REPORT),
    "needs_authorization": (_("The authorisation of this source has ended."), AUTHORIZE),
    "signature_invalid": (
        _("The gateway refuses the signature."),
        _("Correct the app secret of the source: it must belong to the app key."),
    ),
    "app_key_unknown": (
        _("The gateway does not know the app key."),
        _("Correct the app key of the source: it is the number shown in the console of the open platform."),
    ),
    "quota_exhausted": (_("The app's calls are used up."), _("Wait for midnight in China, or buy more calls.")),
    "rate_limited": (_("The app calls more often than it may."), WAIT),
    "limiter_unavailable": (_("The call limiter is unavailable."), _("See to it that Redis runs, then check again.")),
    "connection_failed": (_("The connection failed."), WAIT),
    "dns_failed": (_("The name of the source cannot be resolved."), WAIT),
    "timeout": (_("The source did not answer in time."), WAIT),
    "server_error": (_("The source failed."), WAIT),
    "bad_answer": (_("What answers is not the source."), WAIT),
    "gateway_refused": (_("The gateway refuses %(api)s with a code nobody knows."), REPORT),
}
EFFECTS: dict[str, Promise] = {
    "no_tree": _("The sync runs, but categories have no upper levels."),
    "no_lookups": _("The sync runs, but chosen products and change messages cannot be followed."),
    "slow_lookups": _("Products are asked for one by one instead, at more calls."),
    "rows_only": _("Products have only what the listing tells: no SKUs, no stock, no description."),
    "other_way": _("Another call is used instead."),
    "walk_stops": _("The sync cannot run without one of the ways to details."),
    "end_unknown": _("The source never said when it ends."),
    "days_left": _("The refresh token is valid for %(days)d more days."),
    "token_ended": _("The refresh token has ended."),
}
ABILITIES: dict[str, Promise] = {
    "walk": _("full and incremental syncs"),
    "details": _("details of products"),
    "lookups": _("chosen products and change messages"),
    "tree": _("category tree"),
}
EVERYTHING_WORKS = _("Everything works.")
NOTHING_WORKS = _("Nothing works until this is put right.")
WORKS = _("Works: %(works)s.")
FAILS = _("Does not work: %(fails)s.")


class ToldCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One line as it is shown."""

    name: str
    ok: bool
    state: str
    code: str
    message: str
    action: str


class ToldReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it is shown; `summary` says what works without what is missing."""

    ok: bool
    summary: str
    latency_ms: float | None
    checks: tuple[ToldCheck, ...]


def told(report: CheckReport) -> ToldReport:
    """The report in the active language."""
    return ToldReport(
        ok=report.ok,
        summary=_summary(report),
        latency_ms=report.latency_ms,
        checks=tuple(told_check(check) for check in report.checks),
    )


def told_check(check: ApiCheck) -> ToldCheck:
    """One line in the active language."""
    message, action = check.message, check.action
    named = {"api": check.name, **check.details}
    if check.state and check.code in CODES and check.effect != "token_ended":
        message, action = (str(text) % named for text in CODES[check.code])
        if check.effect in EFFECTS:
            message = f"{message} {EFFECTS[check.effect]}"
    elif check.effect in EFFECTS:
        message, action = str(EFFECTS[check.effect]) % named, str(AUTHORIZE) if action else ""
    state = check.state or ("works" if check.ok else "failed")
    return ToldCheck(name=check.name, ok=check.ok, state=state, code=check.code, message=message, action=action)


def _summary(report: CheckReport) -> str:
    works, fails = (
        [str(text) for name, text in ABILITIES.items() if report.abilities.get(name) is wanted]
        for wanted in (True, False)
    )
    if not fails and report.ok:
        return str(EVERYTHING_WORKS)
    if not works:
        return str(NOTHING_WORKS)
    separator = str(_(", "))
    sentences = [str(WORKS) % {"works": separator.join(works)}]
    if fails:
        sentences.append(str(FAILS) % {"fails": separator.join(fails)})
    return " ".join(sentences)
