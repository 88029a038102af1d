"""Lists are read and counted from their indexes alone."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0010_stamps'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='product',
            name='product_category',
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_shop',
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_price',
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_stock',
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_sold',
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_created',
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_updated',
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_status',
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['category', 'id'], include=('status', 'source', 'price', 'stock', 'sold_count', 'created_at', 'updated_at'), name='product_category'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['id'], include=('status', 'source', 'category', 'price', 'stock', 'sold_count', 'created_at', 'updated_at'), name='product_live'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['shop', 'id'], include=('status',), name='product_shop'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None), models.Q(('status', 'published'), _negated=True)), fields=['status', 'id'], include=('source', 'category', 'price', 'stock', 'sold_count', 'created_at', 'updated_at', 'shop'), name='product_status'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['price', 'id'], include=('status', 'source', 'category', 'stock', 'sold_count', 'created_at', 'updated_at'), name='product_price'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['stock', 'id'], include=('status', 'source', 'category', 'price', 'sold_count', 'created_at', 'updated_at'), name='product_stock'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['sold_count', 'id'], include=('status', 'source', 'category', 'price', 'stock', 'created_at', 'updated_at'), name='product_sold'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['created_at', 'id'], include=('status', 'source', 'category', 'price', 'stock', 'sold_count', 'updated_at'), name='product_created'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['updated_at', 'id'], include=('status', 'source', 'category', 'price', 'stock', 'sold_count', 'created_at'), name='product_updated'),
        ),
    ]
