"""What sources answered, kept for a replay, and which fields their answers had."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('syncjobs', '0009_job_doubts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='syncjob',
            name='trigger',
            field=models.CharField(choices=[('api', 'API'), ('admin', 'back office'), ('command', 'command line'), ('schedule', 'schedule'), ('message', 'change message'), ('replay', 'replay of kept answers')], default='api', max_length=10, verbose_name='trigger'),
        ),
        migrations.CreateModel(
            name='AnswerField',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job_id', models.BigIntegerField(verbose_name='job')),
                ('source', models.CharField(max_length=50, verbose_name='source')),
                ('path', models.CharField(max_length=200, verbose_name='field')),
                ('kind', models.CharField(choices=[('null', 'null'), ('boolean', 'boolean'), ('number', 'number'), ('string', 'string'), ('array', 'array'), ('object', 'object')], max_length=10, verbose_name='JSON type')),
                ('answers', models.PositiveIntegerField(verbose_name='answers')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created at')),
            ],
            options={
                'verbose_name': 'field of answers',
                'verbose_name_plural': 'fields of answers',
                'indexes': [models.Index(fields=['job_id'], name='answer_field_job')],
                'constraints': [models.UniqueConstraint(fields=('source', 'path', 'kind', 'job_id'), name='answer_field')],
            },
        ),
        migrations.CreateModel(
            name='RawAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=50, verbose_name='source')),
                ('source_id', models.CharField(max_length=100, verbose_name='id at the source')),
                ('digest', models.BinaryField(max_length=16, verbose_name='digest')),
                ('size', models.PositiveIntegerField(verbose_name='bytes')),
                ('payload', models.BinaryField(verbose_name='raw payload')),
                ('job_id', models.BigIntegerField(verbose_name='job')),
                ('first_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='first seen')),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last seen')),
                ('applied_at', models.DateTimeField(blank=True, null=True, verbose_name='replayed at')),
            ],
            options={
                'verbose_name': 'raw answer',
                'verbose_name_plural': 'raw answers',
                'indexes': [models.Index(fields=['job_id', 'id'], name='raw_job')],
                'constraints': [models.UniqueConstraint(fields=('source', 'source_id', 'digest'), name='raw_version')],
            },
        ),
        # Compressed already, and out of the row, so that a later seen_at writes a hundred bytes and no index.
        migrations.RunSQL(
            "ALTER TABLE syncjobs_rawanswer ALTER COLUMN payload SET STORAGE EXTERNAL,"
            " SET (toast_tuple_target = 128, fillfactor = 90)",
            migrations.RunSQL.noop,
        ),
    ]
