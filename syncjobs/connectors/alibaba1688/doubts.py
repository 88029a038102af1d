"""What a walk cannot promise, collected while it is planned."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

from syncjobs.engine.contracts import Doubt

EXAMPLES = 5
# Fixed sentences: `syncjobs.log_texts` has them for translation.
TEXTS = {
    "band_exceeds_window": "a search shows only its first 2,000 offers here and cannot be split further",
    "order_drifts": "the order of the search changed while it was read, offers may be missing",
    "split_loses_offers": "offers without a price or outside the category tree are in no part of the split search",
    "too_many_parts": "the search is not split further, that would take too many calls",
    "limit_reached": "the limit of offers is reached, the rest of the search is left out",
    "tree_not_granted": "the category tree is not granted, the search is split by price alone",
    "listing_only": "details are not granted, products have only what the search tells of them",
    "reads_everything": "the source cannot be asked for changes: everything is read, only differences are written",
}
_INFORMATION = frozenset({"reads_everything"})


class Doubts(Sequence[Doubt]):
    """One doubt a code; how often it came up, and the first examples."""

    def __init__(self) -> None:
        self._examples: dict[str, list[dict[str, Any]]] = {}
        self._counts: dict[str, int] = {}

    def add(self, code: str, **example: Any) -> None:
        """Note one more case of a code in `TEXTS`."""
        self._counts[code] = self._counts.get(code, 0) + 1
        examples = self._examples.setdefault(code, [])
        if example and len(examples) < EXAMPLES:
            examples.append(example)

    def __len__(self) -> int:
        return len(self._counts)

    def __iter__(self) -> Iterator[Doubt]:
        return map(self._doubt, self._counts)

    @overload
    def __getitem__(self, index: int) -> Doubt: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Doubt]: ...
    def __getitem__(self, index: int | slice) -> Doubt | Sequence[Doubt]:
        return list(self)[index]

    def _doubt(self, code: str) -> Doubt:
        details: dict[str, Any] = {}
        if self._examples[code]:
            details = {"count": self._counts[code], "examples": self._examples[code]}
        is_news = code in _INFORMATION
        return Doubt(code=code, message=TEXTS[code], level="info" if is_news else "warning", details=details)
