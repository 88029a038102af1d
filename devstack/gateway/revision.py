"""What has been changed about a product since the seed: a short history of kinds, one byte each."""

from enum import IntEnum


class Kind(IntEnum):
    """One kind of change; the control plane names them in lower case."""

    PRICE = 1
    STOCK = 2
    STATUS = 3
    TITLE = 4
    SKU_ADD = 5
    SKU_REMOVE = 6
    CATEGORY = 7


class History(bytes):
    """The kinds in the order they happened; its length is the revision number. Empty for the seed's own product."""

    def times(self, kind: Kind) -> int:
        """How often a kind of change happened."""
        return self.count(kind)

    def then(self, kind: Kind) -> "History":
        """The history one revision later."""
        return History(self + bytes((kind,)))


UNCHANGED = History()
