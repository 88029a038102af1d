"""What the raw layer remembers of answers: which record the same bytes were mapped to.

An answer that is, word for word, the last one that is kept of its product means the record it meant then, as long as
the mapping is the same edition. So an unchanged product costs a digest of its bytes and a share of one query.
"""

from collections.abc import Mapping

from django.utils import timezone

from products.records import FINGERPRINT_BYTES
from syncjobs.services import raw_answers
from system import sql

_RECALL = """
SELECT i.source_id, kept.id, kept.mapped, kept.seen_at <= %(stale)s::timestamptz
FROM unnest(%(ids)s::text[], %(digests)s::bytea[]) AS i (source_id, digest)
JOIN LATERAL (
    SELECT r.id, r.digest, r.mapped, r.seen_at FROM syncjobs_rawanswer r
    WHERE r.source = %(source)s::text AND r.source_id = i.source_id ORDER BY r.seen_at DESC, r.id DESC LIMIT 1
) AS kept ON kept.digest = i.digest
"""
_LEARN = """
UPDATE syncjobs_rawanswer r SET mapped = i.mapped FROM unnest(%s::bigint[], %s::bytea[]) AS i (id, mapped)
WHERE r.id = i.id
"""


class AnswerMemory:
    """The engine's `Memory` of one source, for one batch.

    Args:
        edition: of the source's mapping; b"" remembers nothing.
    """

    def __init__(self, source: str, edition: bytes) -> None:
        self._source, self._edition = source, edition
        self._digests: dict[str, bytes] = {}
        self._rows: dict[str, int] = {}
        self._settled: set[str] = set()

    def recall(self, answers: Mapping[str, bytes]) -> dict[str, bytes]:
        """The fingerprints of products whose bytes are those of their last kept answer."""
        if not (self._edition and answers and raw_answers.days()):
            return {}
        self._digests = raw_answers.digests_of(answers)
        values = {"source": self._source, "ids": sql.array(self._digests), "digests": sql.array(self._digests.values())}
        found = sql.fetch_all(_RECALL, values | {"stale": timezone.now() - raw_answers.FRESH})
        self._rows = {source_id: row_id for source_id, row_id, _, _ in found}
        self._settled = {source_id for source_id, _, _, stale in found if not stale}
        return {
            source_id: bytes(mapped[:FINGERPRINT_BYTES])
            for source_id, _, mapped, _ in found
            if mapped and mapped[FINGERPRINT_BYTES:] == self._edition
        }

    def keep(
        self, job_id: int, answers: Mapping[str, bytes], mapped: Mapping[str, bytes], written: tuple[str, ...]
    ) -> None:
        """Keep what the batch heard, and what came of it. Joins the caller's transaction.

        Args:
            mapped: fingerprints by product, of those that were mapped.
            written: products that were stored.
        """
        marks = {key: digest + self._edition for key, digest in mapped.items()} if self._edition else {}
        due = {key: answers[key] for key in answers.keys() - (self._settled - set(written))}
        if due:
            raw_answers.keep(self._source, job_id, due, written, marks, self._digests)
        self._learn({self._rows[key]: marks[key] for key in sorted(marks.keys() & self._rows.keys())})

    def _learn(self, marks: Mapping[int, bytes]) -> None:
        if marks:
            sql.execute(_LEARN, [sql.array(marks), sql.array(marks.values())])
