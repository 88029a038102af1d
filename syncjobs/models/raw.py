"""What sources answered: kept for a time, so that a better mapping can be tried on it without asking again."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RawAnswer(models.Model):
    """One version of what a source said about one product, compressed; the same bytes again are the same row.

    `seen_at` is when the source last said so, up to a day late while nothing changes; the one with the latest is the
    product's last answer. `applied_at` is when a replay last stored the product from it. The payload lies outside of
    the row (`SET STORAGE EXTERNAL`), so that a new `seen_at` writes a hundred bytes. `mapped` is the fingerprint of the
    record it was mapped to, followed by the edition of the mapping; null where it was rejected.
    """

    source = models.CharField(_("source"), max_length=50)
    source_id = models.CharField(_("id at the source"), max_length=100)
    digest = models.BinaryField(_("digest"), max_length=16)
    size = models.PositiveIntegerField(_("bytes"))
    payload = models.BinaryField(_("raw payload"))
    mapped = models.BinaryField(null=True, editable=False)
    job_id = models.BigIntegerField(_("job"))
    first_at = models.DateTimeField(_("first seen"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    applied_at = models.DateTimeField(_("replayed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("raw answer")
        verbose_name_plural = _("raw answers")
        constraints = [models.UniqueConstraint(fields=["source", "source_id", "digest"], name="raw_version")]
        indexes = [models.Index(fields=["job_id", "id"], name="raw_job")]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}"


class AnswerField(models.Model):
    """In how many of a run's new answers one field stood with one JSON type.

    The path "" counts answers: as object those that were looked at, as array all of the run.
    """

    class Kind(models.TextChoices):
        NULL = "null", "null"
        BOOLEAN = "boolean", "boolean"
        NUMBER = "number", "number"
        STRING = "string", "string"
        ARRAY = "array", "array"
        OBJECT = "object", "object"

    job_id = models.BigIntegerField(_("job"))
    source = models.CharField(_("source"), max_length=50)
    path = models.CharField(_("field"), max_length=200)
    kind = models.CharField(_("JSON type"), max_length=10, choices=Kind)
    answers = models.PositiveIntegerField(_("answers"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("field of answers")
        verbose_name_plural = _("fields of answers")
        constraints = [
            models.UniqueConstraint(fields=["source", "path", "kind", "job_id"], name="answer_field"),
        ]
        indexes = [models.Index(fields=["job_id"], name="answer_field_job")]

    def __str__(self) -> str:
        return f"{self.path} {self.kind}"
