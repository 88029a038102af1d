"""What a start would cover, and whether anything speaks against it: asked alike by a start and by its dry check."""

import hashlib
from collections.abc import Iterator, Sequence

import msgspec

from products.models import Category
from syncjobs.connectors.alibaba1688.offer_links import normalize_offer_id
from syncjobs.models import Source, SyncJob
from system.errors import ApplicationError, ErrorCode


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a request to start means. `problems` are its refusals, the gravest first; empty when it may start.

    `source` is None when there is none of that name.
    """

    source: Source | None
    offer_ids: list[str]
    scope: str
    problems: tuple[ApplicationError, ...]

    def checked_source(self) -> Source:
        """The source, once nothing speaks against the start.

        Raises:
            ApplicationError: the first problem.
        """
        for problem in self.problems:
            raise problem
        if self.source is None:
            raise ApplicationError(ErrorCode.SYNC_SOURCE_MISSING)
        return self.source


def examine(source_name: str | None, category_id: int | None, sku_list: Sequence[str]) -> Target:
    """Look at a request to start, without changing anything.

    Raises:
        ApplicationError: 400, something in `sku_list` is no offer.
    """
    offers = offer_ids(sku_list)
    source = _named(source_name)
    scope = scope_digest(category_id, offers)
    problems = (*_source_problems(source_name, source), *_category_problems(category_id), *_rivals(source, scope))
    return Target(source=source, offer_ids=offers, scope=scope, problems=problems)


def _named(name: str | None) -> Source | None:
    """The source of this name; None takes the default one."""
    return (Source.objects.filter(name=name) if name else Source.objects.filter(is_default=True)).first()


def _source_problems(name: str | None, source: Source | None) -> Iterator[ApplicationError]:
    if source is None and name:
        yield ApplicationError(ErrorCode.SYNC_SOURCE_UNKNOWN, details={"source": name})
    elif source is None:
        yield ApplicationError(ErrorCode.SYNC_SOURCE_MISSING)
    elif not source.is_enabled:
        yield ApplicationError(ErrorCode.SYNC_SOURCE_DISABLED, details={"source": source.name})


def named_source(name: str | None) -> Source:
    """The source of this name, switched on or off; None takes the default one.

    Raises:
        ApplicationError: 422, there is none.
    """
    source = _named(name)
    if source is None:
        code = ErrorCode.SYNC_SOURCE_UNKNOWN if name else ErrorCode.SYNC_SOURCE_MISSING
        raise ApplicationError(code, details={"source": name} if name else None)
    return source


def offer_ids(sku_list: Sequence[str]) -> list[str]:
    """The ids of offers as somebody typed or pasted them, each once.

    Raises:
        ApplicationError: 400, one is no offer.
    """
    found: dict[str, None] = {}
    for index, text in enumerate(sku_list):
        try:
            found[normalize_offer_id(text)] = None
        except ValueError as error:
            details = {f"sku_list[{index}]": [str(error)]}
            raise ApplicationError(ErrorCode.INVALID_PARAMETER, details=details) from error
    return list(found)


def _category_problems(category_id: int | None) -> Iterator[ApplicationError]:
    """An empty tree knows nothing yet; a filled one that lacks the number means a wrong number."""
    if category_id is None or Category.objects.filter(pk=category_id).exists():
        return
    if Category.objects.exists():
        yield ApplicationError(ErrorCode.CATEGORY_UNKNOWN, details={"category_id": category_id})


def _rivals(source: Source | None, scope: str) -> Iterator[ApplicationError]:
    """The job that covers the same; a start that races another one past here meets the table's constraint."""
    if source and (running := _open_job(source, scope)):
        yield _taken(running.task_id)


def conflict(source: Source, scope: str) -> ApplicationError:
    """Why a job of this scope cannot be opened now."""
    running = _open_job(source, scope)
    return _taken(running.task_id if running else None)


def _open_job(source: Source, scope: str) -> SyncJob | None:
    return SyncJob.objects.filter(source=source, scope=scope, state__in=SyncJob.OPEN_STATES).first()


def _taken(task_id: str | None) -> ApplicationError:
    return ApplicationError(ErrorCode.SYNC_ALREADY_RUNNING, details={"task_id": task_id})


def scope_digest(category_id: int | None, offer_ids: Sequence[str]) -> str:
    """One word for what a job covers, equal for equal scopes in any order."""
    text = f"category={category_id or ''};offers={','.join(sorted(offer_ids))}"
    return hashlib.sha256(text.encode()).hexdigest()
