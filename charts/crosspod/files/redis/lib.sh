# shellcheck shell=sh disable=SC2034
# What the scripts of a Redis pod share. POSIX sh: /bin/sh of the images is Debian's dash.
#
# What a pod knows of the group is who is the master and since which failover: Sentinel's configuration epoch. It is
# on the volume (the marker), and in the pod's Sentinel, which others can ask. Of two answers the higher epoch is right.
set -eu

# shellcheck source=/dev/null
. "$CONFIG_DIR/settings"

ME=${POD_NAME##*-}
MAJORITY=$((REPLICAS / 2 + 1))
MARKER=$DATA_DIR/last-master
PEERS=$CONFIG_DIR/peers
# Redis and Valkey go by different names.
SERVER=$(command -v redis-server || command -v valkey-server)
CLIENT=$(command -v redis-cli || command -v valkey-cli)

log() {
  printf '%s %s: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${0##*/}" "$*" >&2
}

# Each would read it in another way: a shell, a configuration file, the gateway.
for password in "${REPLICATION_PASSWORD-}" "${SENTINEL_PASSWORD-}" "${CROSSPOD_PASSWORD-}"; do
  case $password in
    *"
"*)
      log 'a password of the Secret has a line break in it, perhaps at its end: remove that'
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

# ordinal_of HOST PORT: which pod's Redis that is
ordinal_of() (
  while read -r ordinal name on _; do
    if [ "$name $on" = "$1 $2" ]; then
      echo "$ordinal"
      exit 0
    fi
  done <"$PEERS"
  exit 1
)

# ask PASSWORD HOST PORT COMMAND…: the answer; fails when none comes. No password is in the arguments of a program.
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

# As peer, but oneself not by way of a Service: not every network leads a pod back to itself.
address_of() {
  peer "$1"
  if [ "$1" = "$ME" ]; then host=localhost; fi
}

# The first line that a Redis answers to ROLE: master, slave, LOADING …; nothing when it is silent
role_of() (
  role=$(ask_redis "$1" ROLE) || exit 0
  printf '%s\n' "${role%%
*}"
)

# field NAME: of lines that are a name and then its value
field() {
  while IFS= read -r name && IFS= read -r value; do
    if [ "$name" = "$1" ]; then
      printf '%s\n' "$value"
      return 0
    fi
  done
  return 1
}

# knowledge_of ORDINAL: "EPOCH MASTER FLAGS" as that pod's Sentinel has it, "-1 none -" when it knows no master
knowledge_of() (
  reply=$(ask_sentinel "$1" SENTINEL MASTERS) || exit 1
  case $reply in
    '') echo '-1 none -' && exit 0 ;;
    name*) ;;
    *) exit 1 ;;
  esac
  epoch=$(printf '%s\n' "$reply" | field config-epoch) || exit 1
  flags=$(printf '%s\n' "$reply" | field flags) || exit 1
  # During a failover only this command names the new master; it has the new epoch from the same moment.
  address=$(ask_sentinel "$1" SENTINEL GET-MASTER-ADDR-BY-NAME "$MASTER_NAME") || exit 1
  again=$(ask_sentinel "$1" SENTINEL MASTERS | field config-epoch) || exit 1
  if [ "$epoch" != "$again" ]; then exit 1; fi
  master=$(ordinal_of "${address%%
*}" "${address##*
}") || exit 1
  echo "$epoch $master $flags"
)

# keep LINES FILE: whole or not at all; on a volume that is full it fails, and leaves nothing there
keep() {
  if printf '%s\n' "$1" 2>/dev/null >"$2.$$" && mv "$2.$$" "$2"; then return 0; fi
  rm -f "$2.$$"
  return 1
}

# Sets EPOCH and MASTER to what the volume says: -1 none on a new one
read_marker() {
  EPOCH=-1
  MASTER=none
  if [ -s "$MARKER" ]; then read -r EPOCH MASTER <"$MARKER"; fi
}

# remember EPOCH MASTER: on the volume, unless something newer is there. Both containers may do it at once.
remember() (
  read_marker
  if [ "$1" -lt "$EPOCH" ] || [ "$1 $2" = "$EPOCH $MASTER" ]; then exit 0; fi
  keep "$1 $2" "$MARKER" || exit 1
  log "failover $1 made pod $2 the master"
)

# Asks the Sentinels of the other pods. Sets EPOCH and MASTER to the newest of what they and the volume say, ANSWERS to
# how many pods that is, this one included, and BUSY when one of them is just replacing the master.
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

# The other pod whose Redis says that it is the master; fails if that is none or more than one
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

# setting NAME TEXT: a line of a configuration file. Not by echo, which takes a backslash for more than itself.
setting() {
  printf '%s "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')"
}

# What redis.conf and sentinel.conf say of the line: listen PORT
listen() {
  echo "bind $BIND"
  # Nobody gets in without a password.
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
