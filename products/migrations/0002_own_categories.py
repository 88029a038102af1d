"""Numbers for categories that no platform numbered, far above every platform's own."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("products", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE products_category_own_id AS bigint START WITH 1000000000000 MINVALUE 1000000000000",
            "DROP SEQUENCE products_category_own_id",
        ),
    ]
