"""What a walk saw is scratch data of one job: kept out of the write-ahead log."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("syncjobs", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE syncjobs_seenproduct SET UNLOGGED",
            "ALTER TABLE syncjobs_seenproduct SET LOGGED",
        ),
    ]
