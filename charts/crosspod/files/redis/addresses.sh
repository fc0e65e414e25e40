#!/bin/sh
# Before the containers of a pod start: writes their hosts file, with the address of each pod's Service, which stays as
# long as the Service does. Sentinel and Redis stand still while they look a name up, and without DNS that is for many
# seconds each time: nobody would notice that the master is dead. What was found is kept on the volume, so that a pod
# that is replaced while DNS is away starts all the same.
# shellcheck source=lib.sh
. "$CONFIG_DIR/lib.sh"

KNOWN=$DATA_DIR/addresses

# by_name HOST: the address that DNS has; fails without an answer
by_name() (
  answer=$(timeout "$ANSWER_SECONDS" getent ahosts "$1") || exit 1
  printf '%s\n' "${answer%%[!0-9a-fA-F.:]*}"
)

# by_memory HOST: the address that the volume has
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

# A line for each pod; fails where one is not known. Who got no answer once does not wait for the next.
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
  if [ $((rounds % 30)) = 0 ]; then log 'waiting for DNS, to find the Services of all pods'; fi
  rounds=$((rounds + 1))
  sleep 1
done
# No room for them is no reason not to start.
if ! keep "$found" "$KNOWN"; then log 'the volume takes no addresses: is it full?'; fi
# In place: it is this very file that the containers see.
{
  cat /etc/hosts
  printf '%s\n' "$found"
} >"$HOSTS"
