"""What is kept of a run: calls by API, and what its batches came to."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('syncjobs', '0014_source_events'),
    ]

    operations = [
        migrations.CreateModel(
            name='JobReceipt',
            fields=[
                ('job_id', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='job')),
                ('fields_changed', models.JSONField(default=dict, verbose_name='fields changed')),
                ('superseded', models.BigIntegerField(default=0, verbose_name='superseded')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='updated at')),
            ],
            options={
                'verbose_name': 'receipt of a job',
                'verbose_name_plural': 'receipts of jobs',
            },
        ),
        migrations.CreateModel(
            name='JobCalls',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job_id', models.BigIntegerField(verbose_name='job')),
                ('api', models.CharField(max_length=100, verbose_name='API')),
                ('calls', models.BigIntegerField(default=0, verbose_name='calls')),
            ],
            options={
                'verbose_name': 'calls of a job',
                'verbose_name_plural': 'calls of jobs',
                'constraints': [models.UniqueConstraint(fields=('job_id', 'api'), name='job_calls')],
            },
        ),
    ]
