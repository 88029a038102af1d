"""Third stage: what differs from the catalogue, decided by fingerprint before anything is written."""

from collections.abc import Iterable, Mapping

from products.records import FingerprintedProduct


def differing(
    products: Iterable[FingerprintedProduct], stored: Mapping[str, bytes]
) -> tuple[tuple[FingerprintedProduct, ...], int]:
    """Split off what has to be written.

    Args:
        stored: fingerprint by source id, of the products the catalogue holds.

    Returns:
        The new and changed products sorted by id (writers that sort alike cannot deadlock), and the number unchanged.
    """
    everything = list(products)
    changed = [item for item in everything if stored.get(item.record.source_id) != item.fingerprint]
    changed.sort(key=lambda item: item.record.source_id)
    return tuple(changed), len(everything) - len(changed)
