"""Products that walks miss, and the reasons of steps towards delisting."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0003_change_feed'),
    ]

    operations = [
        migrations.AddField(
            model_name='productchange',
            name='reason',
            field=models.CharField(blank=True, choices=[('not_in_walk', 'a complete walk did not see it'), ('source_says_gone', 'its source says that it does not exist')], db_default='', default='', max_length=20, verbose_name='reason'),
        ),
        migrations.AlterField(
            model_name='productchange',
            name='kind',
            field=models.CharField(choices=[('created', 'created'), ('updated', 'updated'), ('missing', 'missing once'), ('suspect', 'suspect'), ('delisted', 'delisted'), ('seen_again', 'seen again'), ('restored', 'restored'), ('deleted', 'deleted')], max_length=10, verbose_name='kind'),
        ),
        migrations.CreateModel(
            name='MissingProduct',
            fields=[
                ('product_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('source', models.CharField(max_length=50, verbose_name='source')),
                ('source_id', models.CharField(max_length=100, verbose_name='id at the source')),
                ('walks', models.PositiveSmallIntegerField(default=0, verbose_name='walks in a row that missed it')),
                ('job_id', models.BigIntegerField(blank=True, null=True, verbose_name='job')),
                ('since', models.DateTimeField(default=django.utils.timezone.now, verbose_name='missing since')),
            ],
            options={
                'verbose_name': 'missing product',
                'verbose_name_plural': 'missing products',
                'constraints': [models.UniqueConstraint(fields=('source', 'source_id'), name='missing_source')],
            },
        ),
    ]
