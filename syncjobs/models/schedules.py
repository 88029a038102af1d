"""What became of the slots of each schedule. The schedules themselves are rows of django-celery-beat."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ScheduleClock(models.Model):
    """How far a schedule has got: one row a schedule, locked by whoever works through its slots.

    `definition` is a digest of the schedule's timing; where it no longer fits, somebody changed the timing (or switched
    the schedule on), and slots count from that moment on.
    """

    schedule_id = models.IntegerField(_("schedule"), primary_key=True)
    definition = models.BigIntegerField(_("definition"))
    next_slot = models.DateTimeField(_("next slot"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("schedule clock")
        verbose_name_plural = _("schedule clocks")

    def __str__(self) -> str:
        return str(self.schedule_id)


class ScheduledRun(models.Model):
    """One slot of one schedule, written in the transaction that starts its job: a slot cannot run twice.

    Of slots that passed while nobody was there, the last one is run (or not, if the schedule says so) and those before
    it are `missed`. A slot that met a job of its scope is `skipped`, or `waiting` until that job has ended; of each
    schedule one waits at most.
    """

    class State(models.TextChoices):
        STARTED = "started", _("started")
        SKIPPED = "skipped", _("skipped")
        REFUSED = "refused", _("refused")
        MISSED = "missed", _("missed")
        WAITING = "waiting", _("waiting")

    schedule_id = models.IntegerField(_("schedule"))
    slot = models.DateTimeField(_("slot"))
    state = models.CharField(_("status"), max_length=10, choices=State)
    # The job it started, or the one it would have met.
    task_id = models.CharField(_("task id"), max_length=30, default="", blank=True)
    reason = models.JSONField(_("reason"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("scheduled run")
        verbose_name_plural = _("scheduled runs")
        constraints = [
            models.UniqueConstraint(fields=["schedule_id", "slot"], name="scheduled_run_slot"),
            models.UniqueConstraint(
                fields=["schedule_id"], condition=models.Q(state="waiting"), name="scheduled_run_one_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.slot:%Y-%m-%d %H:%M:%S}"
