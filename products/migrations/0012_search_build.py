"""How far the making of what search keeps is; products that are there already get it step by step, by a task."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0011_listing_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchBuild',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveSmallIntegerField()),
                ('target', models.PositiveSmallIntegerField()),
                ('position', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RunSQL(
            "INSERT INTO products_searchbuild (version, target, position)"
            " SELECT CASE WHEN EXISTS (SELECT FROM products_product) THEN 0 ELSE 2 END, 2, 0",
            migrations.RunSQL.noop,
        ),
    ]
