"""Django application `products`."""

from functools import partial

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProductsConfig(AppConfig):
    """Registers what the dashboard and the system page show of the catalogue, and who writes and clears its exports."""

    name = "products"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        """Put the card onto the dashboard, let the rows be counted, and take part in profiles and in the queue."""
        from accounts.selectors import register_profile_part
        from accounts.services import register_user_purger
        from products.dashboard import catalogue_card
        from products.models import Category, Product, Shop
        from products.selectors.exports import EXPORT_KIND
        from products.selectors.shops import followed_shops
        from products.services.changes import mend_feed
        from products.services.exports import remove_old_exports, run_export
        from products.services.follows import forget_follower
        from products.services.ownership import RELEASE_KIND, run_release
        from products.services.search_index import REINDEX_KIND, reindex_if_due, run_reindex
        from system.backoffice.pages import estimated_rows
        from system.dashboard import register_card
        from system.info import register_counter
        from system.queue import register_handler, register_sweeper

        for model in (Product, Category, Shop):
            register_counter(model._meta.db_table, partial(estimated_rows, model._meta.db_table))

        register_card(
            "catalogue",
            "backoffice/cards/catalogue.html",
            catalogue_card,
            position=10,
            permission="products.view_product",
        )
        register_profile_part("followed_shops", followed_shops)
        register_user_purger(forget_follower)
        register_handler(EXPORT_KIND, run_export)
        register_handler(RELEASE_KIND, run_release)
        register_sweeper(remove_old_exports)
        register_handler(REINDEX_KIND, run_reindex)
        register_sweeper(mend_feed)
        register_sweeper(reindex_if_due)
