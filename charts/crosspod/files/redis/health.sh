#!/bin/sh
# health.sh redis-live | redis-ready | sentinel-live | sentinel-ready: the probes.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

peer "$ME"
case $1 in
  redis-live)
    # A Redis that is loading its data is well; it would never get done if it were killed for that.
    case $(ask "$REPLICATION_PASSWORD" localhost "$port" PING) in
      PONG | LOADING*) ;;
      *) exit 1 ;;
    esac
    ;;
  redis-ready)
    # Not whether it is in sync: with none ready, none could ever begin.
    [ "$(ask "$REPLICATION_PASSWORD" localhost "$port" PING)" = PONG ]
    ;;
  sentinel-live | sentinel-ready)
    [ "$(ask "$SENTINEL_PASSWORD" localhost "$sentinel_port" PING)" = PONG ] || exit 1
    if [ "$1" = sentinel-ready ]; then exit 0; fi
    # In case Sentinel's own call of it did not come through.
    "$CONFIG_DIR/remember.sh" || true
    ;;
  *) exit 2 ;;
esac
