#!/bin/sh
# Redis Cluster: a Lua script that takes the last element out of a key while the key's slot is on its way is ended at its
# next look at that key, and what it wrote stays.
#
# One would guess that a script whose keys are all on the server runs to its end: the server has let it in, and keys that
# are emptied simply count as empty. But each redis.call inside is sent through the same check as a command from outside,
# and in a slot that is migrating a key that is not there (any more) is taken for one that has moved already.
#
# So scripts that may meet a resharding count first and take away last. Needs Debian 12 (or one with the same package) and
# apt; installs nothing, but unpacks a pinned package in a temporary folder.
set -eu
VERSION=5:7.0.15-1~deb12u7

folder=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || true; done; rm -rf "$folder"' EXIT
cd "$folder"

# _apt may not write in the folder of root: apt says so, and goes on.
apt-get download -q "redis-tools=$VERSION" liblzf1 libjemalloc2 liblua5.1-0 lua-bitop lua-cjson >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
for package in *.deb; do dpkg -x "$package" unpacked; done
LD_LIBRARY_PATH=$(find "$folder/unpacked/usr/lib" -maxdepth 1 -type d -name '*-linux-*')
export LD_LIBRARY_PATH
cli="$folder/unpacked/usr/bin/redis-cli"
# The one binary is the server under its own name.
ln -sf redis-check-rdb "$folder/unpacked/usr/bin/redis-server"
server="$folder/unpacked/usr/bin/redis-server"
"$server" --version

# Each server takes another port 10,000 above its own: below those that a system gives out by itself.
from=$(shuf -i 20000-22000 -n 1)
to=$((from + 1))
for port in "$from" "$to"; do
  mkdir "$port"
  "$server" --port "$port" --dir "$folder/$port" --cluster-enabled yes --save '' --bind 127.0.0.1 >"$port/log" 2>&1 &
  pids="$pids $!"
done
ask() { port=$1; shift; "$cli" -p "$port" "$@" 2>&1; }
wait_for() {
  for _ in $(seq 200); do
    "$@" && return
    sleep 0.1
  done
  echo "waited in vain for: $*" >&2
  cat "$from/log" "$to/log" >&2
  exit 2
}
both_answer() { [ "$(ask "$from" PING)" = PONG ] && [ "$(ask "$to" PING)" = PONG ]; }
both_know_all_slots() { ask "$from" CLUSTER INFO | grep -q cluster_state:ok && ask "$to" CLUSTER INFO | grep -q cluster_state:ok; }
wait_for both_answer
ask "$from" CLUSTER ADDSLOTSRANGE 0 16382 >/dev/null
ask "$to" CLUSTER ADDSLOTSRANGE 16383 16383 >/dev/null
ask "$from" CLUSTER MEET 127.0.0.1 "$to" >/dev/null
wait_for both_know_all_slots

key=room
slot=$(ask "$from" CLUSTER KEYSLOT "$key")
take_and_count="redis.call('SREM', KEYS[1], ARGV[1]) return redis.call('SCARD', KEYS[1])"
count_and_take="local left = redis.call('SCARD', KEYS[1]) - 1 redis.call('SREM', KEYS[1], ARGV[1]) return left"
run() { ask "$from" SADD "$key" ann >/dev/null; ask "$from" EVAL "$1" 1 "$key" ann; }

settled=$(run "$take_and_count")
ask "$from" SADD "$key" ann >/dev/null
ask "$to" CLUSTER SETSLOT "$slot" IMPORTING "$(ask "$from" CLUSTER MYID)" >/dev/null
ask "$from" CLUSTER SETSLOT "$slot" MIGRATING "$(ask "$to" CLUSTER MYID)" >/dev/null
moving=$(ask "$from" EVAL "$take_and_count" 1 "$key" ann)
after=$(ask "$from" EXISTS "$key")
ask "$from" CLUSTER SETSLOT "$slot" STABLE >/dev/null
ask "$from" SADD "$key" ann >/dev/null
ask "$from" CLUSTER SETSLOT "$slot" MIGRATING "$(ask "$to" CLUSTER MYID)" >/dev/null
other=$(ask "$from" EVAL "$count_and_take" 1 "$key" ann)

echo "take, then count; the slot is settled:    guess 0, seen: $settled"
echo "take, then count; the slot is on its way: guess 0, seen: $moving"
echo "the key after that:                       guess: as before the error, 1; seen: $after"
echo "count, then take; the slot is on its way: guess 0, seen: $other"
[ "$settled" = 0 ] && [ "$other" = 0 ] || { echo "changed: what worked does not" >&2; exit 1; }
case $moving in *"non local key"*) ;; *) echo "changed: the script is not ended any more" >&2; exit 1 ;; esac
case $after in 0 | *ASK*) ;; *) echo "changed: what the script wrote does not stay" >&2; exit 1 ;; esac
