# The worker's image:   docker build --build-arg REVISION=$(git rev-parse HEAD) -t kravia-invoice-worker .
# Read-only root and any user id will do; it writes to TMPDIR only. What is installed is requirements/runtime.txt,
# hashes checked, wheels only: no compiler is needed, and none is in the image. pip compiles to bytecode here, since
# nothing can be written later.

# The multi-architecture index of that tag, taken from public records (several repositories and build logs that name the
# pair), not from a pull: no registry is reachable from where this was written. `make base-digest` renews it.
ARG PYTHON_IMAGE=python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv --without-pip /opt/worker \
    && python -m pip --python /opt/worker/bin/python install --require-hashes --only-binary :all: \
        --requirement requirements/runtime.txt \
    && python -m pip install --require-hashes --only-binary :all: --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY worker worker
COPY schemas schemas
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && python -m pip --python /opt/worker/bin/python install --no-deps /dist/*.whl \
    && /opt/worker/bin/worker --version

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="kravia-invoice-worker" \
      org.opencontainers.image.description="Brings invoice events from Kafka to Kravia: never billed twice, nothing lost." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
ENV PATH=/opt/worker/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/worker /opt/worker
WORKDIR /tmp
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8080
# The worker drains on it, within WORKER_DRAIN_TIMEOUT: give the engine's stop more time than that (docker stop -t 60).
STOPSIGNAL SIGTERM
# For engines without probes of their own; Kubernetes ignores it. As patient as the chart's liveness probe.
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('WORKER_HTTP_PORT') or 8080}/livez\", timeout=4)"]
# Exec form: SIGTERM reaches the worker, which drains.
ENTRYPOINT ["worker"]
CMD ["run"]
