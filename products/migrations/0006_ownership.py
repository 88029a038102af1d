"""What sources say of the fields that operators own."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0005_stock_hints'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='conflicts',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, editable=False, null=True, size=None, verbose_name='conflicting fields'),
        ),
        migrations.AddField(
            model_name='product',
            name='conflicts_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='in conflict since'),
        ),
        migrations.AddField(
            model_name='product',
            name='source_values',
            field=models.JSONField(blank=True, editable=False, null=True, verbose_name='values of the source'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('owned_fields', []), _negated=True), fields=['source', 'id'], name='product_owned'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None), ('conflicts__isnull', False)), fields=['id'], include=('source', 'conflicts', 'conflicts_at'), name='product_conflict'),
        ),
        # The next sync looks at what operators own already, and remembers what the source says.
        migrations.RunSQL(
            "UPDATE products_product SET fingerprint = '' WHERE source <> '' AND owned_fields <> '{}'",
            migrations.RunSQL.noop,
        ),
    ]
