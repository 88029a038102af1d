"""The database as the migrations leave it."""

import pytest
from django.apps import apps
from django.core.management import call_command

from system import sql
from tests.architecture.source import APPS

pytestmark = [pytest.mark.django_db, pytest.mark.shows("003/IX")]


def own_tables() -> list[str]:
    """Tables of our own apps, link tables included."""
    models = [model for app in APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)]
    return [model._meta.db_table for model in models if model._meta.managed]


def test_our_own_tables_have_no_foreign_key_constraints() -> None:
    found = sql.rows(
        "SELECT conrelid::regclass::text AS holder, conname FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])",
        [own_tables()],
    )
    assert found == []


def test_the_framework_tables_keep_their_constraints() -> None:
    """Proves that the query above would see one."""
    assert sql.rows("SELECT 1 FROM pg_constraint WHERE contype = 'f' AND conrelid = 'auth_permission'::regclass")


def test_our_own_tables_have_no_triggers() -> None:
    found = sql.rows(
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY(%s::regclass[])", [own_tables()]
    )
    assert found == []


def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
