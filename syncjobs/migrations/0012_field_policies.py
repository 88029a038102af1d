"""Who wins where an operator and a source disagree, by field."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('syncjobs', '0011_webhook_feed'),
    ]

    operations = [
        migrations.AddField(
            model_name='source',
            name='field_policies',
            field=models.JSONField(blank=True, default=dict, verbose_name='who wins, by field'),
        ),
    ]
