"""Stocks and prices of SKUs change more often than anything else: a page with room takes the new row beside the old one,
and the indexes need not be told."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("products", "0012_search_build")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE products_sku SET (fillfactor = 90)", "ALTER TABLE products_sku RESET (fillfactor)"
        ),
    ]
