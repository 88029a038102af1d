"""Pages of the third-party tables: schedules of Celery beat and kept results, in the theme and within our bounds."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from django_celery_results import admin as results
from django_celery_results.models import GroupResult, TaskResult
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from system.backoffice.base import BackOfficeAdmin, ReadOnlyAdmin

if TYPE_CHECKING:

    class _StockPeriodicTaskAdmin(admin.ModelAdmin[Any]):
        pass

    _StockTaskResultAdmin = _StockPeriodicTaskAdmin
else:
    _StockPeriodicTaskAdmin, _StockTaskResultAdmin = beat.PeriodicTaskAdmin, results.TaskResultAdmin

SCHEDULES = (CrontabSchedule, IntervalSchedule, ClockedSchedule, SolarSchedule)

for _model in (PeriodicTask, *SCHEDULES, TaskResult, GroupResult):
    admin.site.unregister(_model)


class TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]
    """The stock list of task names, styled."""


class PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]
    """The stock form, styled."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, widget in (("task", UnfoldAdminTextInputWidget()), ("regtask", TaskSelect())):
            if name in self.fields:
                self.fields[name].widget = widget


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BackOfficeAdmin, _StockPeriodicTaskAdmin):
    form = PeriodicTaskForm
    # The stock template carries an inline script, and the hierarchy lookups outside the list's filters.
    change_form_template = None
    date_hierarchy = None
    list_filter = ["enabled", "one_off"]


@admin.register(*SCHEDULES)
class ScheduleAdmin(BackOfficeAdmin):
    """One kind of schedule."""


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin, _StockTaskResultAdmin):
    date_hierarchy = None
    list_filter = ["status"]
    search_fields = ["=task_id"]
    ordering = ["-id"]
