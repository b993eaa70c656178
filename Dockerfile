# The browser's packages: Node.js only fetches them.
FROM node:24.19.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN python -m venv /venv
# The dependencies alone first: this layer stays until they change.
COPY pyproject.toml ./
RUN /venv/bin/pip install '.[s3]'
COPY . .
COPY --from=packages /app/node_modules node_modules
# None asks a database; the mode is said for this step only, which has no secrets. Compiled once: a container may not
# write, so each start would compile all of it.
RUN /venv/bin/python -m compileall -q portal referrals dealreg isvconnect licensing exceptions_council \
 && /venv/bin/python -m portal.translations \
 && ORTAK_MODE=demo /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf node_modules

FROM python:3.11.14-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ortak \
 && install -d -o ortak -g ortak /data /data/documents
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
USER ortak
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "-c", "portal/gunicorn.py"]
