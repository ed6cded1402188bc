# Catchment in a container: the address, the key and the data are where they are used.
#   docker build -t catchment .
#   docker run -p 127.0.0.1:7100:7100 -v catchment:/data catchment

FROM node:24-slim AS install
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has its own Node 24; the one pinned for checkouts would be a second.
RUN npm ci --omit=dev && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:24-slim
ENV NODE_ENV=production \
    CATCHMENT_HOST=0.0.0.0 \
    CATCHMENT_PORT=7100 \
    CATCHMENT_DATA=/data
# The database that comes with Catchment runs as this user, too, where DATABASE_URL names no other.
RUN install -d -o node -g node /data
WORKDIR /app
COPY --from=install /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY api ./api
COPY core ./core
COPY integrations ./integrations
COPY mappings ./mappings
COPY docs/catchment.schema.json ./docs/catchment.schema.json
USER node
VOLUME /data
EXPOSE 7100
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.CATCHMENT_PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "api/cli/bin.js", "start"]
