#!/bin/sh
# The probes: health.sh redis-live | redis-ready | sentinel-live | sentinel-ready
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

case $1 in
  redis-live)
    # A Redis that is loading its data is alive. If the probe killed it, it would never finish loading.
    case $(ask_redis "$ME" PING) in
      PONG | LOADING*) ;;
      *) exit 1 ;;
    esac
    ;;
  redis-ready)
    # Does not require a synchronized replica: while no pod is ready, none could ever start.
    [ "$(ask_redis "$ME" PING)" = PONG ]
    ;;
  sentinel-live | sentinel-ready)
    [ "$(ask_sentinel "$ME" PING)" = PONG ] || exit 1
    if [ "$1" = sentinel-ready ]; then exit 0; fi
    # Sentinel calls this after each failover; the probe repeats it in case that call failed.
    "$CONFIG_DIR/remember.sh" || true
    ;;
  *) exit 2 ;;
esac
