# Crosspod: Node 24 runs the TypeScript sources as they are; there is nothing to build.

FROM docker.io/library/node:24.21.0-trixie-slim AS base
WORKDIR /app
ENV NODE_ENV=production

# Without what only development needs.
FROM base AS dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

# For `skaffold dev`: all sources, restarted whenever one changes.
FROM base AS dev
ENV NODE_ENV=development
# Skaffold unpacks what was saved with tar, which would put a new file in the place of the old one; Node watches the old
# one and would see no second change.
ENV TAR_OPTIONS=--overwrite
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY --chown=node:node src src
USER 1000:1000
EXPOSE 8080 9090
# Not --watch, which sees what is imported alone: pages, styles and scripts of Redis are read.
CMD ["node", "--watch-path=src", "--max-semi-space-size=8", "--disable-warning=ExperimentalWarning", "src/main.ts"]

FROM base
LABEL org.opencontainers.image.title="Crosspod" \
      org.opencontainers.image.description="A WebSocket gateway for Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
# The user `node` of the base image, as a number: Kubernetes cannot tell by a name that it is not root.
USER 1000:1000
EXPOSE 8080 9090
# Exec form: Node is PID 1 and gets the signals itself.
CMD ["node", "--max-semi-space-size=8", "--disable-warning=ExperimentalWarning", "src/main.ts"]
