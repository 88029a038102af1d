"""Django application `products`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProductsConfig(AppConfig):
    """Registers what the dashboard shows of the catalogue."""

    name = "products"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        """Put the card onto the dashboard."""
        from products.dashboard import catalogue_card
        from system.dashboard import register_card

        register_card(
            "catalogue",
            "backoffice/cards/catalogue.html",
            catalogue_card,
            position=10,
            permission="products.view_product",
        )
