"""Schedules' slots, change messages, webhooks and their deliveries; the version of a source."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('syncjobs', '0002_unlogged_seen'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ScheduleClock',
            fields=[
                ('schedule_id', models.IntegerField(primary_key=True, serialize=False, verbose_name='schedule')),
                ('definition', models.BigIntegerField(verbose_name='definition')),
                ('next_slot', models.DateTimeField(blank=True, null=True, verbose_name='next slot')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='updated at')),
            ],
            options={
                'verbose_name': 'schedule clock',
                'verbose_name_plural': 'schedule clocks',
            },
        ),
        migrations.AddField(
            model_name='source',
            name='version',
            field=models.PositiveIntegerField(default=1, editable=False, verbose_name='version'),
        ),
        migrations.AlterField(
            model_name='syncjob',
            name='trigger',
            field=models.CharField(choices=[('api', 'API'), ('admin', 'back office'), ('command', 'command line'), ('schedule', 'schedule'), ('message', 'change message')], default='api', max_length=10, verbose_name='trigger'),
        ),
        migrations.CreateModel(
            name='ScheduledRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('schedule_id', models.IntegerField(verbose_name='schedule')),
                ('slot', models.DateTimeField(verbose_name='slot')),
                ('state', models.CharField(choices=[('started', 'started'), ('skipped', 'skipped'), ('refused', 'refused'), ('missed', 'missed')], max_length=10, verbose_name='status')),
                ('task_id', models.CharField(blank=True, default='', max_length=30, verbose_name='task id')),
                ('reason', models.JSONField(blank=True, null=True, verbose_name='reason')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created at')),
            ],
            options={
                'verbose_name': 'scheduled run',
                'verbose_name_plural': 'scheduled runs',
                'constraints': [models.UniqueConstraint(fields=('schedule_id', 'slot'), name='scheduled_run_slot')],
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=2000, verbose_name='address')),
                ('description', models.CharField(blank=True, default='', max_length=200, verbose_name='description')),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('job.finished', 'a job succeeded, wholly or in part'), ('job.failed', 'a job failed'), ('job.held', 'a job waits for a decision or for its quota'), ('job.stopped', 'a job was stopped')], max_length=30), size=None, verbose_name='events')),
                ('secrets', models.BinaryField(default=b'')),
                ('is_enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('disabled_reason', models.CharField(blank=True, default='', max_length=50, verbose_name='reason for being disabled')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='deliveries given up in a row')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='version')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created at')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='updated at')),
                ('owner', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'webhook',
                'verbose_name_plural': 'webhooks',
            },
        ),
        migrations.CreateModel(
            name='ChangeMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('msg_id', models.CharField(max_length=64, verbose_name='message id')),
                ('type', models.CharField(max_length=100, verbose_name='type')),
                ('offer_ids', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), default=list, size=None, verbose_name='products')),
                ('task_id', models.CharField(blank=True, default='', max_length=30, verbose_name='task id')),
                ('born_at', models.DateTimeField(blank=True, null=True, verbose_name='born at')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='received at')),
                ('handled_at', models.DateTimeField(blank=True, null=True, verbose_name='handled at')),
                ('source', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='syncjobs.source')),
            ],
            options={
                'verbose_name': 'change message',
                'verbose_name_plural': 'change messages',
                'indexes': [models.Index(condition=models.Q(('handled_at__isnull', True)), fields=['source', 'id'], name='message_waiting'), models.Index(fields=['created_at'], name='message_age')],
                'constraints': [models.UniqueConstraint(fields=('source', 'msg_id'), name='message_once')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.UUIDField(default=uuid.uuid4, verbose_name='event id')),
                ('event', models.CharField(choices=[('job.finished', 'a job succeeded, wholly or in part'), ('job.failed', 'a job failed'), ('job.held', 'a job waits for a decision or for its quota'), ('job.stopped', 'a job was stopped')], max_length=30, verbose_name='event')),
                ('body', models.TextField(verbose_name='body')),
                ('state', models.CharField(choices=[('pending', 'pending'), ('succeeded', 'succeeded'), ('dead', 'given up')], default='pending', max_length=10, verbose_name='status')),
                ('round', models.PositiveIntegerField(default=1, verbose_name='round')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='attempts in this round')),
                ('attempts', models.JSONField(default=list, verbose_name='attempts')),
                ('response_status', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='last response')),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True, verbose_name='next attempt')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('webhook', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='syncjobs.webhook', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'webhook delivery',
                'verbose_name_plural': 'webhook deliveries',
                'indexes': [models.Index(fields=['webhook', 'id'], name='delivery_of_webhook'), models.Index(fields=['created_at'], name='delivery_age')],
                'constraints': [models.UniqueConstraint(fields=('webhook', 'event_id'), name='delivery_once')],
            },
        ),
    ]
