"""The table of APIs: what each is called, what it needs, who answers it. A new API is a row and a handler."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .faults import Fired
from .state import State

Json = dict[str, Any]


class BusinessError(Exception):
    """A refusal by the API itself: HTTP 200 in that API's own envelope."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message, self.code = message, code


@dataclass(frozen=True)
class Call:
    """One accepted call: the simulator's state, the arguments, and the faults that apply."""

    state: State
    params: Mapping[str, str]
    fired: Fired


@dataclass(frozen=True)
class Api:
    """One API. `refuse` puts a business error into the API's envelope."""

    namespace: str
    name: str
    handler: Callable[[Call], Json]
    refuse: Callable[[BusinessError], Json]
    required: tuple[str, ...] = ()
    signed: bool = True
    needs_token: bool = True
    post_only: bool = False
    protocols: tuple[str, ...] = ("param2",)


def flat_refusal(error: BusinessError) -> Json:
    """`alibaba.product.get`."""
    return {"errMsg": error.message}


def success_refusal(error: BusinessError) -> Json:
    """`alibaba.cross.productInfo`, `alibaba.product.getByIdList`."""
    return {"success": False, "message": error.message}


def nested_refusal(error: BusinessError) -> Json:
    """The cross-border search."""
    return {"result": {"success": False, "code": error.code, "message": error.message}}


def listing_refusal(error: BusinessError) -> Json:
    """`alibaba.product.list.get`."""
    return {"result": None, "success": False, "message": error.message, "code": error.code or None}


def category_refusal(error: BusinessError) -> Json:
    """`alibaba.category.get`; here the flag is spelt right and no text, unlike in its good answers."""
    return {"success": False, "errorCode": error.code, "errorMsg": error.message}
