"""The ladder of missing products: how many walks, what a held job shows, what a walk counts."""

import django.core.validators
from django.db import migrations, models


# Approvals pass over what is not watched, so the lists of jobs that are held already are.
WATCH_HELD = """
INSERT INTO products_missingproduct (product_id, source, source_id, walks, since)
SELECT DISTINCT p.id, p.source, p.source_id, 0, now()
FROM syncjobs_heldproduct h JOIN syncjobs_syncjob j ON j.id = h.job_id JOIN products_product p ON p.id = h.product_id
WHERE j.state = 'held' ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):

    dependencies = [
        ('syncjobs', '0006_scheduled_waiting'),
        ('products', '0004_ladder'),
    ]

    operations = [
        migrations.AddField(
            model_name='heldproduct',
            name='step',
            field=models.CharField(choices=[('missing', 'missing once'), ('suspect', 'suspect'), ('delisted', 'delisted')], default='delisted', max_length=10, verbose_name='step'),
        ),
        migrations.AddField(
            model_name='heldproduct',
            name='walks',
            field=models.PositiveSmallIntegerField(default=1, verbose_name='walks in a row that missed it'),
        ),
        migrations.AddField(
            model_name='source',
            name='delist_after_walks',
            field=models.PositiveSmallIntegerField(default=3, help_text='Only then it is delisted; with 1 a single walk is enough.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10)], verbose_name='complete walks in a row that must miss a product'),
        ),
        migrations.AddField(
            model_name='syncjob',
            name='hidden',
            field=models.BigIntegerField(default=0, verbose_name='hidden'),
        ),
        migrations.AddField(
            model_name='syncjob',
            name='missing',
            field=models.BigIntegerField(default=0, verbose_name='missing'),
        ),
        migrations.AddField(
            model_name='syncjob',
            name='proven',
            field=models.BooleanField(default=False, verbose_name='walk was complete'),
        ),
        migrations.RunSQL(WATCH_HELD, migrations.RunSQL.noop),
    ]
