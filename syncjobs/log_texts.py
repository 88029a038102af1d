"""Every sentence a job's log can hold, marked for translation; the stored text is the English one."""

from django.utils.translation import gettext_noop as _

TEXTS = (
    _("sync started"),
    _("walk planned"),
    _("source failed, trying again"),
    _("category tree not granted, going on without it"),
    _("products missing from the source, not delisted yet"),
    _("walk not provably complete, nothing delisted"),
    _("walk saw less than the source claims"),
    _("stop requested"),
    _("sync stopped"),
    _("sync resumed"),
    _("sync held"),
    _("a sync would be held here"),
    _("delisting approved"),
    _("sync failed"),
    _("sync finished"),
)
