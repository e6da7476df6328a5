# Echelon on Airflow: one image for every Airflow component and for the `echelon` command.
FROM python:3.11.13-slim-bookworm AS build

COPY --from=ghcr.io/astral-sh/uv:0.9.18 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /opt/echelon
COPY pyproject.toml uv.lock README.md LICENSE hatch_build.py ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-default-groups --extra airflow --extra dask --extra desk --no-install-project
COPY pipeline pipeline
COPY echelon_airflow echelon_airflow
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-default-groups --extra airflow --extra dask --extra desk


FROM python:3.11.13-slim-bookworm

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# LightGBM needs OpenMP. Debian's security updates matter more than one exact build of it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends --yes libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 50000 --gid 0 airflow \
    && install --directory --owner airflow --group 0 --mode 0775 /opt/airflow /opt/airflow/logs /data
COPY --from=build --chown=airflow:0 /opt/echelon /opt/echelon
COPY --chown=airflow:0 configs /opt/echelon/configs
COPY --chown=airflow:0 dags /opt/echelon/dags
COPY --chown=airflow:0 data/sample /opt/echelon/data/sample

ENV PATH=/opt/echelon/.venv/bin:$PATH \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/echelon/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    NUMBA_CACHE_DIR=/tmp/numba
USER 50000
WORKDIR /opt/echelon
ENTRYPOINT ["airflow"]
CMD ["version"]
