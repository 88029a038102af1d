"""Django application `products`."""

from django.apps import AppConfig


class ProductsConfig(AppConfig):
    """Registers the application under its folder's name."""

    name = "products"
