#!/bin/sh
# Runs before the containers of a pod start. It writes their hosts file with the address of each pod's Service, which does
# not change. Sentinel and Redis block during a DNS lookup, and without DNS for many seconds each time, so Sentinels would
# not notice a dead master. The addresses are also saved on the volume, so that a replaced pod starts without DNS.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

KNOWN=$DATA_DIR/addresses

# by_name HOST: the address in DNS; fails without an answer
by_name() (
  answer=$(timeout "$ANSWER_SECONDS" getent ahosts "$1") || exit 1
  printf '%s\n' "${answer%%[!0-9a-fA-F.:]*}"
)

# by_memory HOST: the address saved on the volume
by_memory() (
  if [ ! -s "$KNOWN" ]; then exit 1; fi
  while read -r address name; do
    if [ "$name" = "$1" ]; then
      printf '%s\n' "$address"
      exit 0
    fi
  done <"$KNOWN"
  exit 1
)

# Prints a line for each pod; fails if an address is unknown. After one lookup without an answer it makes no more.
addresses() (
  is_there=yes
  while read -r _ host _; do
    address=''
    if [ "$is_there" = yes ]; then address=$(by_name "$host") || is_there=no; fi
    if [ -z "$address" ]; then address=$(by_memory "$host") || exit 1; fi
    echo "$address $host"
  done <"$PEERS"
)

trap 'exit 143' TERM INT
rounds=0
until found=$(addresses); do
  if [ $((rounds % 30)) = 0 ]; then log 'waiting for DNS to resolve the Services of all pods'; fi
  rounds=$((rounds + 1))
  sleep 1
done
# The pod starts even if the volume is full.
if ! keep "$found" "$KNOWN"; then log 'cannot save the addresses: the volume may be full'; fi
# Written in place: the containers have this file mounted, and would not see one that replaces it.
{
  cat /etc/hosts
  printf '%s\n' "$found"
} >"$HOSTS"
