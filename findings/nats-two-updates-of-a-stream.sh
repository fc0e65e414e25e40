#!/bin/sh
# NATS JetStream: of two updates of different settings of a stream that are made at the same time, one is undone, and both
# are answered as done.
#
# The client's streams.update(name, { one: setting }) looks like a change of that setting, and one would guess that two of
# them do not touch each other. But the server only takes whole configurations and knows no version of them: the client
# reads the one that there is, puts the setting in, and sends it all. What somebody else has set in between is put back.
#
# So several processes may not keep facts of their own in a stream's configuration (its description, its metadata) unless
# each of them would write the same. Needs npm, and Debian 12 with apt; unpacks in a temporary folder.
set -eu
SERVER=2.9.10-1
CLIENT=3.4.0

folder=$(mktemp -d)
pid=
trap 'if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT
cd "$folder"

version=$(apt-cache madison nats-server | awk -v wanted="$SERVER" 'index($3, wanted) == 1 { print $3; exit }')
apt-get download -q "nats-server=${version:-$SERVER}" >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
dpkg -x nats-server_*.deb unpacked
server=$(find unpacked -type f -name nats-server -perm -u+x)
"$server" --version
npm install --silent --no-fund --no-audit --prefix . "@nats-io/jetstream@$CLIENT" "@nats-io/transport-node@$CLIENT"
echo "@nats-io/jetstream $CLIENT"

mkdir store
"$server" --addr 127.0.0.1 --port -1 --jetstream --store_dir store --ports_file_dir "$folder" >log 2>&1 &
pid=$!

cat >look.mjs <<'EOF'
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';

async function address() {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const file = readdirSync('.').find((name) => name.endsWith('.ports'));
    const text = file && readFileSync(file, 'utf8');
    if (text) return JSON.parse(text).nats[0];
    await sleep(100);
  }
  throw new Error(`nats-server does not start: ${readFileSync('log', 'utf8')}`);
}

const connection = await connect({ servers: await address() });
const { streams } = await jetstreamManager(connection);
await streams.add({ name: 'letters', subjects: ['letters.>'], max_msgs: 10 });
const answers = await Promise.all([
  streams.update('letters', { description: 'ours' }),
  streams.update('letters', { max_msgs: 20 }),
]);
const { config } = await streams.info('letters');
const seen = { description: config.description ?? '', max_msgs: config.max_msgs };
console.log('both updates are answered:', answers.length === 2);
console.log('guess:', { description: 'ours', max_msgs: 20 });
console.log('seen: ', seen);
await connection.close();
const isOneUndone = (seen.description === 'ours') !== (seen.max_msgs === 20);
if (!isOneUndone) {
  console.error('changed: none of the two is undone');
  process.exit(1);
}
EOF
node look.mjs
