"""Search keeps the texts it compares beside the products."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0006_ownership'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchText',
            fields=[
                ('product_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('shop_id', models.BigIntegerField(null=True)),
                ('text', models.TextField()),
                ('numbers', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ('version', models.PositiveSmallIntegerField()),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['numbers'], name='search_numbers'), models.Index(condition=models.Q(('shop_id__isnull', False)), fields=['shop_id'], name='search_shop')],
            },
        ),
    ]
