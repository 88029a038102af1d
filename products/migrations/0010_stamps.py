"""When lists last changed and how many products they hold: counted once, kept by every write from then on."""

from django.db import migrations, models

# Rows are rewritten all the time and by no indexed column: with room on their pages they stay where they are, and the
# table stays small because it is cleaned after some thousand updates, however few rows there are.
STORAGE = """
    ALTER TABLE products_stamp SET (
        fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000
    )
"""
COUNT = """
    INSERT INTO products_stamp (scope, shard, version, products, published)
    SELECT scope, 0, (extract(epoch FROM now()) * 1000000)::bigint, products, published FROM (
        SELECT category_id AS scope, count(*) AS products, count(*) FILTER (WHERE status = 'published') AS published
        FROM products_product WHERE deleted_at IS NULL AND category_id IS NOT NULL GROUP BY category_id
        UNION ALL
        SELECT 0, count(*), count(*) FILTER (WHERE status = 'published') FROM products_product WHERE deleted_at IS NULL
        UNION ALL SELECT -1, 0, 0
    ) AS counted
"""


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0009_search_shops_and_pairs'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProductStamp',
            fields=[
                ('pk', models.CompositePrimaryKey('scope', 'shard', blank=True, editable=False, primary_key=True, serialize=False)),
                ('scope', models.BigIntegerField()),
                ('shard', models.SmallIntegerField()),
                ('version', models.BigIntegerField()),
                ('products', models.BigIntegerField()),
                ('published', models.BigIntegerField()),
            ],
            options={
                'db_table': 'products_stamp',
            },
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
