"""The routes."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from benchmarks.peers.drf.views import ProductViewSet

router = SimpleRouter(trailing_slash=False)
router.register("products", ProductViewSet, basename="product")
urlpatterns = [path("api/v1/", include(router.urls))]
