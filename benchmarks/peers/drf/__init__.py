"""The project as it begins: ModelViewSet, ModelSerializer, simplejwt, stock throttling, Django's ASGI handler."""
