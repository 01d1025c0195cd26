# One image for web and workers; compose.yaml says which process each container runs.
FROM python:3.11-slim

RUN useradd --system --uid 10001 --home-dir /var/lib/mingcha mingcha \
 && install -d -m 0700 -o mingcha -g mingcha /var/lib/mingcha /var/lib/mingcha/objects

WORKDIR /srv/mingcha
COPY requirements.lock .
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --only-binary :all: -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY survey_forms survey_forms
COPY api api
COPY worker worker
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --no-deps --no-build-isolation --no-index . \
 && rm -rf /srv/mingcha/*

USER mingcha
ENV PYTHONUNBUFFERED=1 MINGCHA_DATA=/var/lib/mingcha
VOLUME /var/lib/mingcha
EXPOSE 8000
CMD ["python", "-m", "granian", "--interface", "wsgi", "--factory", "api.app:from_environment", \
     "--host", "0.0.0.0", "--port", "8000", "--http", "1", "--no-ws", "--workers", "2", "--blocking-threads", "64", \
     "--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "10", "--no-access-log"]
