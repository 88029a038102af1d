"""Record and page faults: what odd data looks like."""

from bisect import bisect_left
from typing import Any

import orjson

from .faults import Fired, Rule

Json = dict[str, Any]

_NULLABLE = (
    "attributes",
    "productAttribute",
    "tagInfoList",
    "groupID",
    "extendInfos",
    "childCategorys",
    "featureInfos",
)
_WORDS_FOR_NO_PRICE = "价格面议"


def spoil_record(record: Json, record_id: int, fired: Fired) -> Json:
    """A copy of the record with every fault that applies to it."""
    kinds = fired.spoiling(record_id)
    if not kinds:
        return record
    copy: Json = orjson.loads(orjson.dumps(record))
    for kind in sorted(kinds):
        _SPOILERS.get(kind, _leave)(copy)
    return copy


def _leave(record: Json) -> None:
    """For faults that are not about the record's content."""


def _null_lists(record: Json) -> None:
    for name, value in record.items():
        if name in _NULLABLE or value == []:
            record[name] = None


def _extra_fields(record: Json) -> None:
    record["brandNewField"] = {"since": 2026, "values": ["一", None]}
    record["unknownFlag"] = True
    for sku in record.get("skuInfos") or ():
        sku["skuLabel"] = "new"


def _wrong_types(record: Json) -> None:
    for name, value in record.items():
        if isinstance(value, bool):
            record[name] = str(value).lower()
        elif isinstance(value, int | float):
            record[name] = str(value)
        elif isinstance(value, str) and value.isdigit():
            record[name] = int(value)
        elif isinstance(value, dict):
            _wrong_types(value)
        elif name == "skuInfos":
            for sku in value:
                _wrong_types(sku)


def _bad_record(record: Json) -> None:
    record["subject"] = None
    for sku in record.get("skuInfos") or ():
        sku["price"] = _WORDS_FOR_NO_PRICE
    if "saleInfo" in record:
        record["saleInfo"]["priceRanges"] = [{"startQuantity": 1, "price": _WORDS_FOR_NO_PRICE}]


_SPOILERS = {
    "null_lists": _null_lists,
    "extra_fields": _extra_fields,
    "wrong_types": _wrong_types,
    "bad_record": _bad_record,
}


def page_start(page: int, size: int, fired: Fired) -> int:
    """Where a page starts in the listing.

    Both faults depend on the page number alone, so asking for a page again gives the same rows.
    """
    duplicates, shift = fired.get("duplicate_rows"), fired.get("page_shift")
    repeated = _repeated(page, duplicates) if duplicates else 0
    shifted = shift.rows if shift and page > max(1, shift.after) else 0
    return (page - 1) * size - repeated + shifted


def seeming_total(total: int, size: int, fired: Fired) -> int:
    """`totalRecords`: with repeated rows as many more as it takes to page to the real end."""
    rule = fired.get("duplicate_rows")
    if rule is None or total == 0:
        return total
    last_page = bisect_left(range(2 * total + 2), total, key=lambda page: page * size - _repeated(page, rule))
    return total + _repeated(last_page, rule)


def claimed_total(total: int, page: int, fired: Fired) -> int:
    """`totalRecords` as this page tells it; a drifting one grows from page to page."""
    drift = fired.get("drifting_total")
    return total + drift.rows * (page - 1) if drift and total else total


def _repeated(page: int, rule: Rule) -> int:
    """How many pages up to this one begin with the last row of the page before."""
    repeated = (page - 1) // rule.every
    return repeated if rule.count is None else min(repeated, rule.count)
