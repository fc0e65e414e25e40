#!/bin/sh
# Runs a Sentinel that watches the master. Each start writes a new configuration from what the other Sentinels and the
# volume know; later changes come from the other Sentinels.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

CONF=$RUN_DIR/sentinel.conf

general() {
  peer "$ME"
  listen "$sentinel_port"
  echo "dir $RUN_DIR"
  setting requirepass "$SENTINEL_PASSWORD"
  setting 'sentinel sentinel-pass' "$SENTINEL_PASSWORD"
  echo 'sentinel resolve-hostnames yes'
  echo 'sentinel announce-hostnames yes'
  echo "sentinel announce-ip $host"
  echo "sentinel announce-port $sentinel_port"
  echo "sentinel myid $id"
}

watching() {
  peer "$MASTER"
  echo "sentinel monitor $MASTER_NAME $host $port $QUORUM"
  setting "sentinel auth-pass $MASTER_NAME" "$REPLICATION_PASSWORD"
  echo "sentinel down-after-milliseconds $MASTER_NAME $DOWN_AFTER_MS"
  echo "sentinel failover-timeout $MASTER_NAME $FAILOVER_TIMEOUT_MS"
  echo "sentinel parallel-syncs $MASTER_NAME $PARALLEL_SYNCS"
  echo "sentinel client-reconfig-script $MASTER_NAME $CONFIG_DIR/remember.sh"
  echo "sentinel config-epoch $MASTER_NAME $EPOCH"
  # Sentinel could find all of them through the master, but only while the master runs.
  while read -r ordinal host port sentinel_port id; do
    if [ "$ordinal" != "$MASTER" ]; then echo "sentinel known-replica $MASTER_NAME $host $port"; fi
    if [ "$ordinal" != "$ME" ]; then
      echo "sentinel known-sentinel $MASTER_NAME $host $sentinel_port $id"
    fi
  done <"$PEERS"
  votes
}

# The votes that this Sentinel wrote before the container stopped: no Sentinel may vote twice in one election.
votes() {
  current=$EPOCH
  if [ -f "$CONF.old" ]; then
    voted=$(sed -n 's/^sentinel current-epoch //p' "$CONF.old")
    if [ "${voted:-0}" -gt "$current" ]; then current=$voted; fi
    sed -n "s/^sentinel leader-epoch $MASTER_NAME .*/&/p" "$CONF.old"
  fi
  echo "sentinel current-epoch $current"
}

# While no pod knows a master, this Sentinel watches none and answers other pods accordingly.
wait_for_master() {
  "$SERVER" "$CONF" --sentinel &
  ignorant=$!
  trap 'kill "$ignorant"; exit 143' TERM INT
  while [ "$MASTER" = none ]; do
    sleep 1
    survey
  done
  kill "$ignorant"
  wait "$ignorant" || true
}

umask 077
if [ -f "$CONF" ]; then mv "$CONF" "$CONF.old"; fi
general >"$CONF"
survey
if [ "$MASTER" = none ]; then wait_for_master; fi
{
  general
  watching
} >"$CONF"
log "starting, the master is pod $MASTER since failover $EPOCH"
exec "$SERVER" "$CONF" --sentinel
