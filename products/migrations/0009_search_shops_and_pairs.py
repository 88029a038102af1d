"""Search keeps the names of suppliers, and which characters stand side by side in titles."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0008_suggestions'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchPair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField()),
                ('reading', models.CharField(max_length=15)),
                ('initials', models.CharField(max_length=2)),
            ],
            options={
                'indexes': [models.Index(fields=['number'], name='search_pair'), models.Index(fields=['initials', 'reading'], name='search_pair_reading')],
            },
        ),
        migrations.CreateModel(
            name='SearchShop',
            fields=[
                ('shop_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('text', models.TextField()),
                ('numbers', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ('version', models.PositiveSmallIntegerField()),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['numbers'], name='search_shop_numbers')],
            },
        ),
    ]
