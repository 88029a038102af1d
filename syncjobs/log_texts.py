"""Every sentence a job's log can hold, marked for translation; the stored text is the English one."""

from django.utils.translation import gettext_noop as _

TEXTS = (
    _("sync started"),
    _("walk planned"),
    _("source failed, trying again"),
    _("no call is free, trying again"),
    _("sync resumed, the calls of a new day have begun"),
    _("the calls that are left today will not be enough"),
    _("no worker is alive, nothing happens until one is started"),
    _("category tree not granted, going on without it"),
    _("products missing from the source, not delisted yet"),
    _("walk not provably complete, nothing delisted"),
    _("what the walk saw is forgotten: the database was restarted, or the job rested for long"),
    _("walk saw less than the source claims"),
    _("stop requested"),
    _("sync stopped"),
    _("sync resumed"),
    _("sync held"),
    _("a sync would be held here"),
    _("a search shows only its first 2,000 offers here and cannot be split further"),
    _("the order of the search changed while it was read, offers may be missing"),
    _("offers without a price or outside the category tree are in no part of the split search"),
    _("the search is not split further, that would take too many calls"),
    _("the limit of offers is reached, the rest of the search is left out"),
    _("the category tree is not granted, the search is split by price alone"),
    _("details are not granted, products have only what the search tells of them"),
    _("the source cannot be asked for changes: everything is read, only differences are written"),
    _("delisting approved"),
    _("sync failed"),
    _("sync finished"),
)
