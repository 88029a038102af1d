"""Up to 250 operations in one transaction and a few statements: planned one by one, written together."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from products.models import Product
from products.services import store
from products.services.edits import Edit
from products.services.plans import Planner
from products.services.refusals import FieldRefused
from system.errors import ApplicationError, ErrorCode


class Policy(StrEnum):
    """What becomes of a batch of which an operation fails."""

    REJECT_ALL = "reject_all"
    REJECT_FAILED = "reject_failed"
    IGNORE_FAILED = "ignore_failed"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do.

    Attributes:
        op: create, update, delete, publish or disable.
        id, sku: the product meant, by one of the two; neither for create.
        values: the fields of its data that have the right form.
        refused: what is wrong with the form of the others, {path: [messages]}; "title" and "price_tiers[1].price"
            are such paths.
    """

    op: str
    id: int | None = None
    sku: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """What became of an operation.

    Attributes:
        status: as the single call would have answered; 424 when it was not done because another one failed.
        path: the place of the operation or, when it failed, of what it failed at, such as `operations[3].data.price`.
        error: why it failed; with the policy ignore_failed also what was left out of one that was done.
    """

    index: int
    op: str
    path: str
    status: int
    id: int | None = None
    error: ApplicationError | None = None

    @property
    def failed(self) -> bool:
        """Whether nothing was done."""
        return self.status >= ErrorCode.INVALID_PARAMETER.status


@dataclass(frozen=True, slots=True)
class Report:
    """The outcomes in the order of the operations; `done` is False when a failure stopped them all."""

    outcomes: list[Outcome]
    done: bool


DONE = {"create": 201, "delete": 204}
FAILED_DEPENDENCY = 424
# What a product cannot be without.
REQUIRED = {"create": frozenset({"sku", "title"}), "update": frozenset()}


@transaction.atomic
def run_batch(policy: Policy, operations: Sequence[Operation]) -> Report:
    """Do all that can be done, as the policy says.

    reject_all: one failure, and nothing is written. reject_failed: the others are done. ignore_failed: as
    reject_failed, and a field that is refused is left out of its operation, which is done without it; it fails if a
    field is needed (`sku` and `title` of a new product) or nothing is left of it.

    Raises:
        ApplicationError: INVALID_PARAMETER, several operations mean the same product.
    """
    _refuse_repeated(_names(operations))
    targets = _targets(operations)
    locked = {index: found for index, found in targets.items() if isinstance(found, Product)}
    _refuse_repeated((f"operations[{index}]", product.pk) for index, product in locked.items())
    planner = Planner(locked.values(), [operation.values for operation in operations])
    planned = [
        _Step(index, operation, targets.get(index), lenient=policy is Policy.IGNORE_FAILED).plan(planner)
        for index, operation in enumerate(operations)
    ]
    outcomes = [outcome for outcome, _edit in planned]
    if policy is Policy.REJECT_ALL and any(outcome.failed for outcome in outcomes):
        return Report([_undone(outcome) for outcome in outcomes], done=False)
    store.write(edit for _outcome, edit in planned if edit)
    for outcome, edit in planned:
        outcome.id = edit.product.pk if edit else outcome.id
    return Report(outcomes, done=True)


class _Step:
    """One operation on its way to an outcome."""

    def __init__(
        self, index: int, operation: Operation, target: Product | ApplicationError | None, *, lenient: bool
    ) -> None:
        self._index, self._operation, self._target, self._lenient = index, operation, target, lenient
        self._place = f"operations[{index}]"
        self._values = dict(operation.values)
        self._refused = dict(operation.refused)

    def plan(self, planner: Planner) -> tuple[Outcome, Edit | None]:
        """The outcome, and the edit to write if there is one."""
        if isinstance(self._target, ApplicationError):
            return self._failure(self._target, "id" if self._operation.id else "sku"), None
        if self._refused and not self._may_go_on(set(self._refused)):
            return self._failure(self._malformed(), _data(next(iter(self._refused)))), None
        while True:
            try:
                return self._success(), self._planned(planner)
            except FieldRefused as error:
                if not self._may_go_on({error.field}):
                    return self._failure(error, _data(error.field)), None
                self._values.pop(error.field)
                self._refused |= {error.field: [error.code.message]}
            except ApplicationError as error:
                return self._failure(error, ""), None

    def _planned(self, planner: Planner) -> Edit:
        if self._target is None:
            return planner.create(self._values)
        product: Any = self._target
        if self._operation.op == "update":
            return planner.change(product, self._values)
        act: dict[str, Callable[[Product], Edit]] = {
            "delete": planner.delete,
            "publish": planner.publish,
            "disable": planner.disable,
        }
        return act[self._operation.op](product)

    def _may_go_on(self, refused: set[str]) -> bool:
        """Whether the operation makes sense without these fields, and the policy allows it."""
        required = REQUIRED.get(self._operation.op)
        fields = {path.split(".")[0].split("[")[0] for path in refused}
        return self._lenient and required is not None and not fields & required and bool(self._values.keys() - fields)

    def _success(self) -> Outcome:
        left_out = self._malformed() if self._refused else None
        target_id = self._target.pk if isinstance(self._target, Product) else None
        status = DONE.get(self._operation.op, 200)
        return Outcome(self._index, self._operation.op, self._place, status, target_id, left_out)

    def _failure(self, error: ApplicationError, path: str) -> Outcome:
        target_id = self._target.pk if isinstance(self._target, Product) else self._operation.id
        place = ".".join(filter(None, [self._place, path]))
        if isinstance(error, FieldRefused):
            error.details = error.details_at(place)
        return Outcome(self._index, self._operation.op, place, error.status, target_id, error)

    def _malformed(self) -> ApplicationError:
        details = {f"{self._place}.{_data(path)}": messages for path, messages in self._refused.items()}
        return ApplicationError(ErrorCode.INVALID_PARAMETER, details=details)


def _data(path: str) -> str:
    return f"data.{path}" if path else "data"


def _undone(outcome: Outcome) -> Outcome:
    if outcome.failed:
        return outcome
    return Outcome(outcome.index, outcome.op, outcome.path, FAILED_DEPENDENCY, outcome.id)


def _names(operations: Sequence[Operation]) -> Iterator[tuple[str, object]]:
    """(place, name) of everything that an operation names as the product it is about."""
    for index, operation in enumerate(operations):
        place, renamed = f"operations[{index}]", operation.values.get("sku")
        if operation.id is not None:
            yield f"{place}.id", operation.id
        if operation.sku is not None:
            yield f"{place}.sku", operation.sku
        if renamed is not None and renamed != operation.sku:
            yield f"{place}.data.sku", renamed


def _refuse_repeated(names: Iterator[tuple[str, object]]) -> None:
    places: dict[object, list[str]] = defaultdict(list)
    for place, name in names:
        places[name].append(place)
    message = _("Means the same product as {others}.")
    repeated = {
        place: [message.format(others=", ".join(other for other in same if other != place))]
        for same in places.values()
        if len(same) > 1
        for place in same
    }
    if repeated:
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details=repeated)


def _targets(operations: Sequence[Operation]) -> dict[int, Product | ApplicationError]:
    """The locked product of every operation that is about one, or why there is none, by the operation's place."""
    about = {index: operation for index, operation in enumerate(operations) if operation.op != "create"}
    ids = {operation.id for operation in about.values() if operation.id is not None}
    skus = {operation.sku for operation in about.values() if operation.sku is not None}
    by_id: dict[int, Product] = {}
    by_sku: dict[str, list[Product]] = defaultdict(list)
    for product in store.lock_products(ids, skus):
        by_id[product.pk] = product
        by_sku[product.sku].append(product)
    return {
        index: _target([by_id[operation.id]] if operation.id in by_id else by_sku[operation.sku or ""])
        for index, operation in about.items()
    }


def _target(found: Sequence[Product]) -> Product | ApplicationError:
    if len(found) == 1:
        return found[0]
    return ApplicationError(ErrorCode.SKU_AMBIGUOUS if found else ErrorCode.NOT_FOUND)
