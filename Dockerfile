# The image starts a bundle, dist/main.js, which needs a quarter of the time that the sources need (scripts/build-server.ts).
# `skaffold dev` runs the sources.

FROM docker.io/library/node:24.21.0-trixie-slim AS base
WORKDIR /app
ENV NODE_ENV=production

# Production dependencies only.
FROM base AS dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

# For `skaffold dev`: restarts whenever a source file changes.
FROM base AS dev
ENV NODE_ENV=development
# Skaffold unpacks saved files with tar. Without this option tar would replace the file; Node watches the old file and would
# miss the second change.
ENV TAR_OPTIONS=--overwrite
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY --chown=node:node src src
USER 1000:1000
EXPOSE 8080 9090
# Not --watch, which watches only imported files: pages, styles and Redis scripts are read from disk.
CMD ["node", "--watch-path=src", "--max-semi-space-size=8", "--disable-warning=ExperimentalWarning", "src/main.ts"]

FROM base AS bundle
COPY package.json package-lock.json ./
RUN npm ci --include=dev --ignore-scripts && npm cache clean --force
COPY scripts scripts
COPY src src
RUN node scripts/build-server.ts

FROM base AS app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
# The bundle reads pages and Redis scripts from src. Stacks name its files.
COPY src src
COPY --from=bundle /app/dist dist
# The command `crosspod rules check FILE`.
COPY --chmod=755 scripts/crosspod /usr/local/bin/crosspod
# The user `node` of the base image, as a number, because Kubernetes cannot verify by name that it is not root.
USER 1000:1000

# The compiled code is valid for this path, this version of Node and this user only. Another user can run the image too; the
# pod then takes longer to start.
FROM app AS compiled
COPY scripts scripts
RUN node scripts/fill-compile-cache.ts /tmp/compiled

FROM app
LABEL org.opencontainers.image.title="Crosspod" \
      org.opencontainers.image.description="A WebSocket gateway for Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=compiled --chown=0:0 /tmp/compiled compiled
ENV NODE_COMPILE_CACHE=/app/compiled
EXPOSE 8080 9090
# Exec form, so that Node is PID 1 and receives the signals itself.
CMD ["node", "--max-semi-space-size=8", "--disable-warning=ExperimentalWarning", "dist/main.js"]
