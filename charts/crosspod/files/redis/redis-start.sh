#!/bin/sh
# Finds out who the master is, then becomes redis-server: as that master, or as a replica of it.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

# Seconds, or a little more: a round takes one and the time of the answers.
rounds=0
told_me=0
unconfirmed=0
logged=''

# Whether a restart finds what was written; without append-only file a master comes back empty.
has_data() {
  [ "$APPENDONLY" = yes ] && [ -n "$(ls "$DATA_DIR"/appendonlydir/*.manifest 2>/dev/null)" ]
}

# Nobody knows a master. Only pod 0 may begin a new group, and only where a majority knows of none: others could be
# about to come back with data, so it waits a while for all of them.
nobody_knows() {
  if seen=$(only_master); then
    MASTER=$seen
    return 0
  fi
  if [ "$ME" != 0 ]; then return 1; fi
  if [ "$ANSWERS" -lt "$MAJORITY" ]; then return 1; fi
  if [ "$ANSWERS" -lt "$REPLICAS" ] && [ "$rounds" -lt "$BEGIN_SECONDS" ]; then return 1; fi
  log "none of $ANSWERS pods knows a master: this begins a new group"
  MASTER=$ME
  remember 0 "$ME"
}

# The others take this pod for the master. If it was away for a moment, a replica may have writes that this one lost,
# and is about to be promoted: only when they had the time for that and did not is this still the master.
named_me() {
  if [ "$ANSWERS" -lt "$MAJORITY" ] || [ "$BUSY" = yes ]; then
    told_me=0
    return 1
  fi
  told_me=$((told_me + 1))
  [ "$told_me" -gt "$TAKE_OVER_SECONDS" ] && has_data
}

# Another pod is the master, if it says so as well. When all were down, it may come a little later; a replica that is
# up before it could be promoted without its newest writes. When it does not come at all, Sentinel has to choose among
# those that are up: as its replicas they take no writes meanwhile.
named_other() {
  if [ "$ANSWERS" -lt "$MAJORITY" ]; then return 1; fi
  case $(role_of "$MASTER") in
    master) return 0 ;;
    LOADING*) return 1 ;;
  esac
  unconfirmed=$((unconfirmed + 1))
  [ "$unconfirmed" -gt "$MASTER_PATIENCE_SECONDS" ]
}

found() {
  survey
  if [ "$MASTER" != "$ME" ]; then told_me=0; fi
  case $MASTER in
    none) nobody_knows ;;
    "$ME") named_me ;;
    *) named_other ;;
  esac
}

configure() {
  echo "include $CONFIG_DIR/redis.conf"
  peer "$ME"
  listen "$port"
  echo "dir $DATA_DIR"
  echo "replica-announce-ip $host"
  echo "replica-announce-port $port"
  setting requirepass "$REPLICATION_PASSWORD"
  setting masterauth "$REPLICATION_PASSWORD"
  hash=$(printf '%s' "$CROSSPOD_PASSWORD" | sha256sum)
  echo "user crosspod on #${hash%% *} $(cat "$CONFIG_DIR/rights")"
  if [ "$MASTER" = "$ME" ]; then return; fi
  peer "$MASTER"
  echo "replicaof $host $port"
}

trap 'exit 143' TERM INT
until found; do
  rounds=$((rounds + 1))
  picture="$ANSWERS of $REPLICAS pods answer, the master is $MASTER"
  if [ "$picture" != "$logged" ] || [ $((rounds % 30)) = 0 ]; then log "waiting: $picture"; fi
  logged=$picture
  sleep 1
done

umask 077
# Without append-only file what lies here is an old copy that came from a master long ago.
if [ "$APPENDONLY" = no ]; then rm -f "$DATA_DIR/dump.rdb"; fi
configure >"$RUN_DIR/redis.conf"
log "starting, the master is pod $MASTER"
exec "$SERVER" "$RUN_DIR/redis.conf"
