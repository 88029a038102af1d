"""Answers of a source that is asked while somebody waits."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse

CANNOT_REACH = OpenApiResponse(description=_("The source cannot be reached or answers nonsense"))
TOO_SLOW = OpenApiResponse(description=_("The source did not answer in time"))
