#!/bin/sh
# health.sh redis-live | redis-ready | sentinel-live | sentinel-ready: the probes.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

case $1 in
  redis-live)
    # A Redis that is loading its data is well; it would never get done if it were killed for that.
    case $(ask_redis "$ME" PING) in
      PONG | LOADING*) ;;
      *) exit 1 ;;
    esac
    ;;
  redis-ready)
    # Not whether it is in sync: with none ready, none could ever begin.
    [ "$(ask_redis "$ME" PING)" = PONG ]
    ;;
  sentinel-live | sentinel-ready)
    [ "$(ask_sentinel "$ME" PING)" = PONG ] || exit 1
    if [ "$1" = sentinel-ready ]; then exit 0; fi
    # In case Sentinel's own call of it did not come through.
    "$CONFIG_DIR/remember.sh" || true
    ;;
  *) exit 2 ;;
esac
