"""The whole route table of the API. No trailing slash; one is tolerated and not documented."""

from django.urls import URLPattern, path

from accounts.api.views import AuthViewSet
from system.api.health import HealthView, SystemHealthView

routes: list[URLPattern] = [
    path("auth/login", AuthViewSet.as_view({"post": "login"})),
    path("auth/refresh", AuthViewSet.as_view({"post": "refresh"})),
    path("auth/logout", AuthViewSet.as_view({"post": "logout"})),
    path("auth/profile", AuthViewSet.as_view({"get": "profile", "patch": "update_profile"})),
    path("health", HealthView.as_view()),
    path("system/health", SystemHealthView.as_view()),
]

slashed = [path(f"{route.pattern}/", route.callback) for route in routes]

urlpatterns = [*routes, *slashed]
