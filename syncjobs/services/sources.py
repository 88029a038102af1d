"""Sources: add them, check them, connect to them; their secrets are encrypted at rest and never shown again."""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from products.ingest.ownership import reread_owned
from syncjobs.connectors.alibaba1688.quota import LONGEST_WAIT_SECONDS
from syncjobs.connectors.registry import CONNECTORS, ConnectorContext, Credentials, build
from syncjobs.engine.contracts import Connector
from syncjobs.models import Source, SyncJob
from syncjobs.services.gates import call_gate
from syncjobs.services.outbound import check_source_options
from syncjobs.services.policies import check_policies
from syncjobs.services.receipts import CountedGate
from system import audit, runtime, sql
from system.crypto import CannotDecrypt, decrypt, encrypt
from system.errors import ApplicationError, ErrorCode
from system.preconditions import check_version

logger = logging.getLogger(__name__)

SECRETS = ("app_secret", "access_token", "refresh_token")
# Makes those who change the default source take turns.
DEFAULT_LOCK = 0x1688_0002
# What somebody who waits for the answer waits for the turn of one call.
HASTY_WAIT_SECONDS = 2.0


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What may change in a source's life. `options` is the connector's own configuration."""

    options: dict[str, Any] = {}
    is_enabled: bool = True
    calls_per_second: float = 10.0
    daily_call_limit: int | None = None
    hold_at_percent: int = 100
    delist_limit_percent: int = msgspec.field(default_factory=lambda: runtime.integer("sync.delist_limit_percent"))
    delist_after_walks: int = 3
    field_policies: dict[str, str] = {}


class NewSource(SourceSettings, frozen=True, kw_only=True):
    """What a new source needs; `credentials` stay secret. `is_default` None: only if it is the first."""

    name: str
    kind: str
    credentials: Credentials = Credentials()
    is_default: bool | None = None


def add_source(new: NewSource) -> Source:
    """Store a source; the first one becomes the default.

    Raises:
        ApplicationError: unknown kind, bad name or forbidden address (400), options that the connector cannot work
            with (422), or the name is taken (409).
    """
    if new.kind not in CONNECTORS:
        known = _("Known kinds: %s") % ", ".join(CONNECTORS)
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"kind": [known]})
    if not Source.NAME_PATTERN.fullmatch(new.name):
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"name": [_("Use a-z, 0-9, - and _, at most 50.")]})
    check_source_options(new.kind, new.options)
    check_policies(new.field_policies)
    try:
        with transaction.atomic():
            return _insert(new)
    except IntegrityError as error:
        raise ApplicationError(ErrorCode.SYNC_SOURCE_TAKEN, details={"name": new.name}) from error


def _insert(new: NewSource) -> Source:
    _take_turns()
    has_default = Source.objects.filter(is_default=True).exists()
    source = Source.objects.create(
        name=new.name, kind=new.kind, **_setting_fields(new), **_credential_fields(new.credentials)
    )
    if not has_default if new.is_default is None else new.is_default:
        _make_default(source)
    audit.record("source.create", "source", source.pk, after=_audited(source, set(_stored(new.credentials))))
    return source


def update_source(
    name: str,
    changed: SourceSettings,
    *,
    make_default: bool = False,
    credentials: Callable[[Credentials], Credentials] | None = None,
) -> Source:
    """Change a source under its row lock, so that a worker renewing the token at this moment is not overwritten.

    Args:
        make_default: the default source is only ever replaced by another one.
        credentials: turns the stored credentials into the new ones; None keeps them.

    Raises:
        ApplicationError: no such source, or options that the connector cannot work with (422).
    """
    with transaction.atomic():
        if make_default:
            _take_turns()
        source = find_source(name, Source.objects.select_for_update())
        _apply(source, _setting_fields(changed), credentials, make_default=make_default)
    return source


def change_source(
    source_id: int,
    changes: dict[str, Any],
    *,
    credentials: dict[str, Any] | None = None,
    make_default: bool | None = None,
    expected: frozenset[int] | None = None,
) -> Source:
    """Change some settings and secrets of a source; what is not named stays.

    Args:
        changes: settings by their names in `SourceSettings`, and `app_key`.
        credentials: some of `Credentials` by name; a new token's end is unknown unless it is among them.
        make_default: False only confirms that it is not the default source.
        expected: versions the caller knows; any when left out.

    Raises:
        ApplicationError: 404, 412, 409 for taking the default away, or as `add_source`.
    """
    with transaction.atomic():
        if make_default:
            _take_turns()
        source = source_with_id(source_id, Source.objects.select_for_update())
        check_version(source.version, expected)
        if make_default is False and source.is_default:
            reason = _("Make another source the default one instead.")
            raise ApplicationError(ErrorCode.CONFLICT, details={"is_default": [reason]})
        given = dict(credentials or {}) | {name: changes.pop(name) for name in ("app_key",) if name in changes}
        renewed = (lambda stored: _overlaid(stored, given)) if given else None
        _apply(source, changes, renewed, make_default=bool(make_default))
    return source


def _apply(
    source: Source,
    fields: dict[str, Any],
    credentials: Callable[[Credentials], Credentials] | None,
    *,
    make_default: bool,
) -> None:
    """Write new settings and credentials to a locked row, if they differ from the stored ones."""
    before = _audited(source, set())
    if fields.get("options", source.options) != source.options:
        check_source_options(source.kind, fields["options"])
    check_policies(fields.get("field_policies", {}))
    stored = _readable_credentials(source) if credentials else None
    wanted = credentials(stored) if credentials and stored else stored
    if wanted and wanted != stored:
        fields = fields | _credential_fields(wanted)
    for name, value in fields.items():
        setattr(source, name, value)
    if make_default:
        _make_default(source)
    replaced = {name for name in SECRETS if getattr(wanted, name, None) != getattr(stored, name, None)}
    after = _audited(source, replaced)
    if after == before:
        return
    source.version, source.updated_at = source.version + 1, timezone.now()
    source.save(update_fields=[*fields, "version", "updated_at"])
    audit.record("source.update", "source", source.pk, **_differences(before, after))
    if before["field_policies"] != after["field_policies"]:
        reread_owned(source.name)


def _overlaid(stored: Credentials, given: dict[str, Any]) -> Credentials:
    """What is stored with new values over it; an old token's end says nothing of a new one."""
    ends = {"access_token": "access_expires_at", "refresh_token": "refresh_expires_at"}
    unknown = {
        end: None for name, end in ends.items() if given.get(name, getattr(stored, name)) != getattr(stored, name)
    }
    return msgspec.structs.replace(stored, **{**unknown, **given})


def _audited(source: Source, replaced: set[str]) -> dict[str, Any]:
    """What the audit log may know of a source: its settings, and which secrets were replaced, never their values."""
    shown = {"name": source.name, "kind": source.kind, "is_default": source.is_default, "app_key": source.app_key}
    settings_now = {name: getattr(source, name) for name in SourceSettings.__struct_fields__}
    ends = {name: getattr(source, name) for name in ("access_expires_at", "refresh_expires_at")}
    return shown | settings_now | ends | ({"secrets_replaced": sorted(replaced)} if replaced else {})


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    names = [name for name in after if after[name] != before.get(name)]
    return {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names},
    }


def _stored(credentials: Credentials) -> list[str]:
    return [name for name in SECRETS if getattr(credentials, name)]


def app_secret(source: Source) -> str:
    """What the source's messages are signed with; "" where none is stored, or none that can be read."""
    try:
        return _credentials(source).app_secret
    except CannotDecrypt:
        return ""


def stored_secrets(source: Source) -> dict[str, bool]:
    """Which secrets are stored; none where the key that encrypted them is gone."""
    try:
        held = _stored(_credentials(source))
    except CannotDecrypt:
        held = []
    return {name: name in held for name in SECRETS}


def source_with_id(source_id: int, among: "QuerySet[Source] | None" = None) -> Source:
    """The source with this id, looked for in `among` or everywhere.

    Raises:
        ApplicationError: 404.
    """
    source = (among if among is not None else Source.objects.all()).filter(pk=source_id).first()
    if source is None:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return source


def _take_turns() -> None:
    sql.rows("SELECT pg_advisory_xact_lock(%s::bigint)", [DEFAULT_LOCK])


def _make_default(source: Source) -> None:
    Source.objects.filter(is_default=True).exclude(pk=source.pk).update(
        is_default=False, version=F("version") + 1, updated_at=timezone.now()
    )
    Source.objects.filter(pk=source.pk).update(is_default=True)
    source.is_default = True


def _setting_fields(chosen: SourceSettings) -> dict[str, Any]:
    return {name: getattr(chosen, name) for name in SourceSettings.__struct_fields__}


def _readable_credentials(source: Source) -> Credentials:
    """The stored credentials; none where the key that encrypted them is gone, so that new ones can be stored."""
    try:
        return _credentials(source)
    except CannotDecrypt:
        logger.warning("the stored secrets of source %s cannot be read and are replaced", source.name)
        return Credentials(app_key=source.app_key)


def _credential_fields(credentials: Credentials) -> dict[str, Any]:
    secrets = {name: getattr(credentials, name) for name in SECRETS}
    return {
        "app_key": credentials.app_key,
        "secrets": encrypt(msgspec.json.encode(secrets)),
        "access_expires_at": credentials.access_expires_at,
        "refresh_expires_at": credentials.refresh_expires_at,
    }


def _credentials(source: Source) -> Credentials:
    secrets: dict[str, str] = msgspec.json.decode(decrypt(bytes(source.secrets))) if source.secrets else {}
    return Credentials(
        app_key=source.app_key,
        access_expires_at=source.access_expires_at,
        refresh_expires_at=source.refresh_expires_at,
        **secrets,
    )


class SourceCredentials:
    """The connector's `CredentialStore`: the Source row, locked while a token is exchanged."""

    def __init__(self, source_id: int) -> None:
        self.source_id = source_id

    def load(self) -> Credentials:
        """The credentials as stored now."""
        return _credentials(Source.objects.get(pk=self.source_id))

    def refresh(self, stale: Credentials, exchange: Callable[[Credentials], Credentials]) -> Credentials:
        """One worker exchanges, the others wait for its row lock and take what it stored."""
        with transaction.atomic():
            current = _credentials(Source.objects.select_for_update().get(pk=self.source_id))
            if current.access_token != stale.access_token:
                return current
            fresh = exchange(current)
            Source.objects.filter(pk=self.source_id).update(updated_at=timezone.now(), **_credential_fields(fresh))
        return fresh


def connect(source: Source, *, patience: float | None = None, job: SyncJob | None = None) -> Connector:
    """A connector for this source; the caller closes it.

    Args:
        job: for whom it calls; jobs of one app key share its calls, and leave a reserve to the critical ones.
        patience: seconds after which it gives up, for a caller who waits.

    Raises:
        FatalSourceError: the source's options make no sense.
    """
    wait = LONGEST_WAIT_SECONDS if patience is None else min(patience, HASTY_WAIT_SECONDS)
    gate = call_gate(source, longest_wait=wait, job=job)
    context = ConnectorContext(
        source_name=source.name,
        options=source.options,
        credentials=SourceCredentials(source.pk),
        gate=CountedGate(gate, job.pk) if job else gate,
        allowed_hosts=settings.OUTBOUND_ALLOWED_HOSTS,
        cache_folder=str(settings.FEED_CACHE_FOLDER),
        download_bytes=settings.FEED_DOWNLOAD_BYTES,
        download_seconds=settings.FEED_DOWNLOAD_SECONDS,
        patience=patience,
    )
    return build(source.kind, context)


def find_source(name: str, among: "QuerySet[Source] | None" = None) -> Source:
    """The source of this name.

    Args:
        among: where to look, such as a locking query; all sources when left out.

    Raises:
        ApplicationError: 422, there is none.
    """
    source = (among if among is not None else Source.objects.all()).filter(name=name).first()
    if source is None:
        raise ApplicationError(ErrorCode.SYNC_SOURCE_UNKNOWN, details={"source": name})
    return source
