# shellcheck shell=sh disable=SC2034
# Functions for the scripts of a Redis pod. POSIX sh: /bin/sh of the images is Debian's dash.
#
# A pod knows the master and the failover that made it master (Sentinel's configuration epoch). Both are stored on the
# volume (the marker), and in the pod's Sentinel, which other pods can ask. Of two answers, the higher epoch is right.
set -eu

# shellcheck source=/dev/null
. "$CONFIG_DIR/settings"

ME=${POD_NAME##*-}
MAJORITY=$((REPLICAS / 2 + 1))
MARKER=$DATA_DIR/last-master
PEERS=$CONFIG_DIR/peers
# The programs of Redis and Valkey have different names.
SERVER=$(command -v redis-server || command -v valkey-server)
CLIENT=$(command -v redis-cli || command -v valkey-cli)

log() {
  printf '%s %s: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${0##*/}" "$*" >&2
}

# The shell, the configuration files and the gateway would each read a line break differently.
for password in "${REPLICATION_PASSWORD-}" "${SENTINEL_PASSWORD-}" "${CROSSPOD_PASSWORD-}"; do
  case $password in
    *"
"*)
      log 'a password in the Secret contains a line break, perhaps at its end: remove it'
      exit 1
      ;;
  esac
done

# peer ORDINAL: sets host, port, sentinel_port and id
peer() {
  while read -r ordinal host port sentinel_port id; do
    if [ "$ordinal" = "$1" ]; then return 0; fi
  done <"$PEERS"
  return 1
}

# ordinal_of HOST PORT: the ordinal of the pod with that Redis
ordinal_of() (
  while read -r ordinal name on _; do
    if [ "$name $on" = "$1 $2" ]; then
      echo "$ordinal"
      exit 0
    fi
  done <"$PEERS"
  exit 1
)

# ask PASSWORD HOST PORT COMMAND…: prints the answer; fails without one. Passwords are never program arguments.
ask() (
  export REDISCLI_AUTH="$1"
  at=$2
  on=$3
  shift 3
  if [ "$TLS" = yes ]; then
    set -- --tls --cacert "$TLS_DIR/ca.crt" -h "$at" -p "$on" "$@"
  else
    set -- -h "$at" -p "$on" "$@"
  fi
  exec timeout "$ANSWER_SECONDS" "$CLIENT" "$@" 2>/dev/null
)

# ask_redis ORDINAL COMMAND…
ask_redis() (
  address_of "$1"
  shift
  ask "$REPLICATION_PASSWORD" "$host" "$port" "$@"
)

# ask_sentinel ORDINAL COMMAND…
ask_sentinel() (
  address_of "$1"
  shift
  ask "$SENTINEL_PASSWORD" "$host" "$sentinel_port" "$@"
)

# Like peer, but uses localhost for this pod: not every network routes a pod to itself through a Service.
address_of() {
  peer "$1"
  if [ "$1" = "$ME" ]; then host=localhost; fi
}

# role_of ORDINAL: the first line of the answer to ROLE: master, slave, LOADING …; empty without an answer
role_of() (
  role=$(ask_redis "$1" ROLE) || exit 0
  printf '%s\n' "${role%%
*}"
)

# field NAME: the value from lines that alternate between names and values
field() {
  while IFS= read -r name && IFS= read -r value; do
    if [ "$name" = "$1" ]; then
      printf '%s\n' "$value"
      return 0
    fi
  done
  return 1
}

# knowledge_of ORDINAL: "EPOCH MASTER FLAGS" from that pod's Sentinel, "-1 none -" if it knows no master
knowledge_of() (
  reply=$(ask_sentinel "$1" SENTINEL MASTERS) || exit 1
  case $reply in
    '') echo '-1 none -' && exit 0 ;;
    name*) ;;
    *) exit 1 ;;
  esac
  epoch=$(printf '%s\n' "$reply" | field config-epoch) || exit 1
  flags=$(printf '%s\n' "$reply" | field flags) || exit 1
  # During a failover only this command names the new master. The epoch changes at the same moment, so it must be the
  # same before and after.
  address=$(ask_sentinel "$1" SENTINEL GET-MASTER-ADDR-BY-NAME "$MASTER_NAME") || exit 1
  again=$(ask_sentinel "$1" SENTINEL MASTERS | field config-epoch) || exit 1
  if [ "$epoch" != "$again" ]; then exit 1; fi
  master=$(ordinal_of "${address%%
*}" "${address##*
}") || exit 1
  echo "$epoch $master $flags"
)

# keep LINES FILE: writes atomically; on a full volume it fails and leaves nothing behind
keep() {
  if printf '%s\n' "$1" 2>/dev/null >"$2.$$" && mv "$2.$$" "$2"; then return 0; fi
  rm -f "$2.$$"
  return 1
}

# Sets EPOCH and MASTER from the volume: -1 and none on a new one
read_marker() {
  EPOCH=-1
  MASTER=none
  if [ -s "$MARKER" ]; then read -r EPOCH MASTER <"$MARKER"; fi
}

# remember EPOCH MASTER: stores both on the volume, unless it has something newer. Both containers may run it at once.
remember() (
  read_marker
  if [ "$1" -lt "$EPOCH" ] || [ "$1 $2" = "$EPOCH $MASTER" ]; then exit 0; fi
  keep "$1 $2" "$MARKER" || exit 1
  log "failover $1 made pod $2 the master"
)

# Asks the Sentinels of the other pods. Sets EPOCH and MASTER to the newest answer of them and the volume, ANSWERS to the
# number of pods that answered, including this one, and BUSY to yes if one of them is replacing the master right now.
survey() {
  read_marker
  ANSWERS=1
  BUSY=no
  other=0
  while [ "$other" -lt "$REPLICAS" ]; do
    if [ "$other" != "$ME" ] && known=$(knowledge_of "$other"); then count "$known"; fi
    other=$((other + 1))
  done
}

# count "EPOCH MASTER FLAGS"
count() {
  ANSWERS=$((ANSWERS + 1))
  flags=${1##* }
  master=${1#* }
  master=${master%% *}
  if [ "${1%% *}" -gt "$EPOCH" ]; then
    EPOCH=${1%% *}
    MASTER=$master
  fi
  case $flags in *failover_in_progress*) BUSY=yes ;; esac
}

# The ordinal of the other pod whose Redis is a master; fails if there is none, or more than one
only_master() (
  other=0
  found=''
  while [ "$other" -lt "$REPLICAS" ]; do
    if [ "$other" != "$ME" ] && [ "$(role_of "$other")" = master ]; then found="$found$other"; fi
    other=$((other + 1))
  done
  case $found in
    [0-9]) echo "$found" ;;
    *) exit 1 ;;
  esac
)

# setting NAME TEXT: prints a line of a configuration file. Not with echo, which interprets backslashes.
setting() {
  printf '%s "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')"
}

# listen PORT: prints the network settings of redis.conf and sentinel.conf
listen() {
  echo "bind $BIND"
  # Protected mode is not needed: every client needs a password.
  echo 'protected-mode no'
  if [ "$TLS" = no ]; then
    echo "port $1"
    return
  fi
  echo 'port 0'
  echo "tls-port $1"
  echo "tls-cert-file $TLS_DIR/tls.crt"
  echo "tls-key-file $TLS_DIR/tls.key"
  echo "tls-ca-cert-file $TLS_DIR/ca.crt"
  echo 'tls-auth-clients no'
  echo 'tls-replication yes'
}
