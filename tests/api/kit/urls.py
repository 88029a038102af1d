"""Addresses of the kit's test views, beside the real ones."""

from django.urls import path

from config import urls
from tests.api.kit import views

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500

urlpatterns = [
    path("api/<version:version>/echo", views.EchoView.as_view()),
    path("api/<version:version>/list", views.ListView.as_view()),
    path("api/<version:version>/query", views.QueryView.as_view()),
    path("api/<version:version>/errors/<kind>", views.ErrorView.as_view()),
    path("api/<version:version>/undeclared", views.UndeclaredView.as_view()),
    path("api/v1/plain/<kind>", views.plain_view),
    *(
        path(f"api/<version:version>/roles/{name}", views.RolesViewSet.as_view({"get": name}))
        for name in ("user", "viewer", "operator", "admin", "forgotten")
    ),
    *urls.urlpatterns,
]
