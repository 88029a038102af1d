"""Sentences of the admin theme, which ships no translations; marked here so that ours are collected and used."""

from django.utils.translation import gettext_noop as _

TEXTS = (
    _("Select record"),
    _("Select action"),
    _("Select action to run"),
    _("Select value"),
    _("Select all rows"),
    _("Run"),
    _("Expand row"),
    _("Welcome back to"),
    _("Type to search"),
    _("You have been successfully logged out from the administration"),
    _("No data"),
    _("More actions"),
    _("All applications"),
    _("True"),
    _("False"),
    _("Apply Filters"),
    _("No results matching your query"),
    _("Cancel"),
    _("Submit"),
    _("No results found"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Reset filters"),
    _("Go back"),
    _("Previous"),
    _("Next"),
    _("General"),
    _("Light"),
    _("Dark"),
    _("System"),
    _("Return to site"),
    _("Toggle password visibility"),
    _("Date"),
    _("After you've created a user, you’ll be able to edit more user options."),
    _(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can change the password "
        'using <a href="{}" class="text-primary-600 dark:text-primary-500">this form</a>.'
    ),
)
