# One image for every role: the command says which, see docker-compose.yml.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# The packages first, since they change less often than the program.
RUN python -m venv --without-pip /opt/distributor
COPY requirements/build.lock requirements/runtime.lock requirements/
RUN pip install --require-hashes --requirement requirements/build.lock \
    && pip --python /opt/distributor/bin/python install \
        --require-hashes --only-binary :all: --requirement requirements/runtime.lock

COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY templates templates
COPY channels channels
COPY distributor distributor
RUN hatchling build --target wheel \
    && pip --python /opt/distributor/bin/python install --no-deps dist/*.whl


FROM python:3.13-slim
ENV PATH=/opt/distributor/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DISTRIBUTOR_STORAGE_VAR=/var/lib/distributor
# For sources that are Git repositories.
RUN apt-get update && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/distributor /opt/distributor
# A number, so that an orchestrator can see that it is not root.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/distributor --create-home \
        distributor
WORKDIR /var/lib/distributor
USER 10001:10001
VOLUME /var/lib/distributor
EXPOSE 8080

ENTRYPOINT ["distributor"]
CMD ["web"]
# For the command above; the other roles have one of their own in docker-compose.yml.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD \
    ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/readyz', timeout=5)"]
