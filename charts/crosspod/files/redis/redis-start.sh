#!/bin/sh
# Finds out which pod is the master, then runs redis-server as that master or as its replica.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

# Rounds, each a second plus the time of the answers.
rounds=0
told_me=0
unconfirmed=0
logged=''

# Succeeds if Redis will find its data. Without an append-only file a master comes back empty.
has_data() {
  [ "$APPENDONLY" = yes ] && [ -n "$(ls "$DATA_DIR"/appendonlydir/*.manifest 2>/dev/null)" ]
}

# No pod knows a master. Only pod 0 may start a new group, and only if a majority knows no master. Other pods might be
# about to return with data, so it first waits for all of them.
nobody_knows() {
  if seen=$(only_master); then
    MASTER=$seen
    return 0
  fi
  if [ "$ME" != 0 ]; then return 1; fi
  if [ "$ANSWERS" -lt "$MAJORITY" ]; then return 1; fi
  if [ "$ANSWERS" -lt "$REPLICAS" ] && [ "$rounds" -lt "$BEGIN_SECONDS" ]; then return 1; fi
  log "none of $ANSWERS pods knows a master: starting a new group"
  MASTER=$ME
  remember 0 "$ME"
}

# The others consider this pod the master. If it was gone for a moment, a replica may have writes that this pod lost, and
# be about to be promoted. Only if that does not happen within the time for it, this pod is still the master.
named_me() {
  if [ "$ANSWERS" -lt "$MAJORITY" ] || [ "$BUSY" = yes ]; then
    told_me=0
    return 1
  fi
  told_me=$((told_me + 1))
  [ "$told_me" -gt "$TAKE_OVER_SECONDS" ] && has_data
}

# Another pod is the master, if its Redis confirms it. After all pods were down it may start a little later; a replica that
# starts before it could be promoted without the newest writes. If it never starts, Sentinel must choose among the others:
# as replicas of the missing master they accept no writes until then.
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
# Without an append-only file, this dump is an old copy from an earlier master.
if [ "$APPENDONLY" = no ]; then rm -f "$DATA_DIR/dump.rdb"; fi
configure >"$RUN_DIR/redis.conf"
log "starting, the master is pod $MASTER"
exec "$SERVER" "$RUN_DIR/redis.conf"
