"""Dry runs, what is held for a decision, and what became of rejected records."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('syncjobs', '0004_sync_resources'),
    ]

    operations = [
        migrations.AddField(
            model_name='rejectedrecord',
            name='outcome',
            field=models.CharField(blank=True, choices=[('created', 'created'), ('updated', 'updated'), ('unchanged', 'unchanged'), ('superseded', 'superseded by a later sync')], default='', max_length=10, verbose_name='came to'),
        ),
        migrations.AddField(
            model_name='rejectedrecord',
            name='resolved_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='resolved at'),
        ),
        migrations.AddField(
            model_name='rejectedrecord',
            name='retries',
            field=models.PositiveIntegerField(default=0, verbose_name='retries'),
        ),
        migrations.AddField(
            model_name='syncjob',
            name='dry_run',
            field=models.BooleanField(default=False, verbose_name='dry run'),
        ),
        migrations.CreateModel(
            name='HeldProduct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('product_id', models.BigIntegerField(verbose_name='product')),
                ('job', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='syncjobs.syncjob', verbose_name='job')),
            ],
            options={
                'verbose_name': 'held product',
                'verbose_name_plural': 'held products',
                'indexes': [models.Index(fields=['job', 'id'], name='held_job')],
                'constraints': [models.UniqueConstraint(fields=('job', 'product_id'), name='held_once')],
            },
        ),
    ]
