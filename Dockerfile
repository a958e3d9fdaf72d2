# orch in a container: the static program of a release and git, as nobody.
#
#   docker build --target tool -t orch:tool --build-arg PROGRAM=orch .   lint, compile, policy, report: nothing but the program
#   docker build -t orch --build-arg PROGRAM=orch .                     every stage; add the tool chain of your repository on top
#
# PROGRAM is the static Linux program in the build context: of a release, or `cargo build --profile dist` with
# RUSTFLAGS="-C target-feature=+crt-static".
#
# BASE is a tag, which moves: for a build that can be repeated, give it by digest, as `docker buildx imagetools inspect
# debian:bookworm-slim` tells it: --build-arg BASE=debian:bookworm-slim@sha256:...
ARG BASE=debian:bookworm-slim

FROM scratch AS tool
ARG PROGRAM=orch
COPY --chmod=755 ${PROGRAM} /usr/local/bin/orch
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/orch"]

FROM ${BASE}
ARG PROGRAM=orch
# Versions come with BASE: Debian keeps one of each package, so one named here would be gone with the next update.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 65532 --create-home orch
COPY --chmod=755 ${PROGRAM} /usr/local/bin/orch
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/orch"]
