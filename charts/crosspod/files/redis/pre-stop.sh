#!/bin/sh
# Runs before a pod stops. If the pod is the master, it hands over to another pod without losing a write.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

end=$(($(date +%s) + HANDOVER_SECONDS))

left() {
  echo $((end - $(date +%s)))
}

# Succeeds if every connected replica has all writes of the master
caught_up() (
  info=$(ask_redis "$ME" INFO replication | tr -d '\r') || exit 1
  written=$(printf '%s\n' "$info" | sed -n 's/^master_repl_offset://p')
  offsets=$(printf '%s\n' "$info" | sed -n 's/^slave[0-9]*:.*state=online,offset=\([0-9]*\),.*/\1/p')
  for offset in $offsets; do
    if [ "$offset" -lt "$written" ]; then exit 1; fi
  done
)

# Pauses writes until the replicas have all earlier ones. The pause lasts for one attempt only: it also blocks the
# Sentinels, which could not turn this Redis into a replica if the pause went on.
hold_writes() {
  ask_redis "$ME" CLIENT PAUSE 15000 WRITE >/dev/null || return 1
  tries=0
  while ! caught_up && [ "$tries" -lt 15 ]; do
    tries=$((tries + 1))
    sleep 0.2
  done
}

# Asks the Sentinel of another pod to fail over, because this pod's Sentinel is stopping too.
fail_over() (
  other=0
  while [ "$other" -lt "$REPLICAS" ]; do
    if [ "$other" != "$ME" ]; then
      answer=$(ask_sentinel "$other" SENTINEL FAILOVER "$MASTER_NAME") || answer='no answer'
      log "failover by the Sentinel of pod $other: $answer"
      case $answer in OK | INPROG*) exit 0 ;; esac
    fi
    other=$((other + 1))
  done
  exit 1
)

handed_over() {
  if ! new=$(only_master); then return 1; fi
  log "pod $new is the master now"
  if [ "$(role_of "$ME")" != master ]; then ask_redis "$ME" CLIENT UNPAUSE >/dev/null || true; fi
}

if [ "$(role_of "$ME")" != master ]; then exit 0; fi
while [ "$(left)" -gt 0 ]; do
  if hold_writes && fail_over; then
    tries=0
    while [ "$(left)" -gt 0 ] && [ "$tries" -lt 50 ]; do
      if handed_over; then exit 0; fi
      tries=$((tries + 1))
      sleep 0.2
    done
  fi
  # No replica could take over. Clients may write until the next attempt.
  ask_redis "$ME" CLIENT UNPAUSE >/dev/null || true
  sleep 1
done
log 'no other pod became the master'
