"""A request and a reply, as far as the gateway cares about HTTP."""

from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

import orjson

JSON_TYPE = "application/json;charset=UTF-8"
FORM_TYPE = "application/x-www-form-urlencoded"


class Cut(Enum):
    """Where the connection is cut."""

    NOWHERE = auto()
    BEFORE = auto()
    HALFWAY = auto()


@dataclass(frozen=True)
class Request:
    """One HTTP request; `target` is the raw path with its query string."""

    method: str
    target: str
    content_type: str
    body: bytes

    @property
    def path(self) -> str:
        """The decoded path."""
        return unquote(self.target.partition("?")[0])

    def params(self) -> dict[str, str]:
        """Query string and form body together; empty values count, because they are signed too."""
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        if self.body and self.content_type.startswith(FORM_TYPE):
            pairs += parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True)
        return dict(pairs)


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; `delay` in seconds before it is sent or cut."""

    body: bytes
    status: int = HTTPStatus.OK
    content_type: str = JSON_TYPE
    delay: float = 0.0
    cut: Cut = Cut.NOWHERE


def json_reply(value: object, status: int = HTTPStatus.OK) -> Reply:
    """A JSON answer."""
    return Reply(orjson.dumps(value), status)
