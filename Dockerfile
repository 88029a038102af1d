# One image for web, worker, beat and every command; compose.yaml shows how each is started.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
RUN python -m venv /venv
COPY requirements.lock /tmp/
RUN /venv/bin/pip install --require-hashes -r /tmp/requirements.lock
COPY . /app
WORKDIR /app
# Collecting files needs settings that load, not servers that answer; none of these values stays in the image.
RUN SECRET_KEY=build JWT_SIGNING_KEY=build-only-but-longer-than-thirty-two-bytes \
    CREDENTIALS_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    DATABASE_URL=postgresql://build@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
    /venv/bin/python manage.py collectstatic --noinput --verbosity 0
RUN /venv/bin/python -m compileall -q /app

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin app \
    && install --directory --owner app --group app /exports /feeds
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER app
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["python", "-m", "config.serve", "--host", "0.0.0.0", "--port", "8000"]
