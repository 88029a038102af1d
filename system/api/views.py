"""Base classes of API views: deny by default, lazy authentication, one shape of answer a version."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.versioning import BaseVersioning, URLPathVersioning
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from system.api.pagination import Page
from system.api.renderers import Success
from system.api.transport import check_client_version, check_transport
from system.api.versions import ApiVersion, version_named
