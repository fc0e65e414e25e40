import type { NatsServer } from '../../support/stack/nats-server.ts';
import { join } from 'node:path';
import { natsOf } from './world.ts';
import { nkeys } from '@nats-io/transport-node';
import type { Rights } from './rights.ts';
import { writeFileSync } from 'node:fs';

type Claims = Readonly<Record<string, unknown>>;

const NO_LIMITS = { subs: -1, data: -1, payload: -1, conn: -1, leaf: -1, imports: -1, exports: -1 };
/** Without these an account cannot store anything. */
const JETSTREAM = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
const HEADER = encoded({ typ: 'JWT', alg: 'ed25519-nkey' });

export interface UserOptions {
  /** All permissions by default. */
  readonly rights?: Rights;
  /** It expires in so many seconds. */
  readonly expiresIn?: number;
  /** The owner of the seed in the file. Another than the user makes the credentials invalid. */
  readonly seed?: nkeys.KeyPair;
}

/** A user with credentials, which may be invalid. */
export interface User {
  /** The text of the `.creds` file. */
  readonly credentials: string;
  /** Must not be logged. */
  readonly secrets: readonly string[];
}

/** Issues credentials. Servers only check its signature. */
class Issuer {
  readonly #keys: nkeys.KeyPair;

  constructor(keys: nkeys.KeyPair) {
    this.#keys = keys;
  }

  get id(): string {
    return this.#keys.getPublicKey();
  }

  /** A JWT about the subject; `more` are the claims that are not only for NATS. */
  sign(subject: string, nats: Claims, more: Claims = {}): string {
    const claims = { iat: now(), iss: this.id, sub: subject, name: 'test', ...more };
    const text = `${HEADER}.${encoded({ ...claims, nats: { version: 2, ...nats } })}`;
    return `${text}.${Buffer.from(this.#keys.sign(Buffer.from(text))).toString('base64url')}`;
  }
}

class Operator extends Issuer {
  readonly jwt = this.sign(this.id, { type: 'operator' });

  constructor() {
    super(nkeys.createOperator());
  }
}

class Account extends Issuer {
  readonly jwt: string;

  constructor(operator: Operator, limits: Claims) {
    super(nkeys.createAccount());
    this.jwt = operator.sign(this.id, { type: 'account', limits: { ...NO_LIMITS, ...limits } });
  }

  user({ rights, expiresIn, seed }: UserOptions = {}): User {
    const keys = nkeys.createUser();
    const allowed = rights && { pub: { allow: rights.publish }, sub: { allow: rights.subscribe } };
    const jwt = this.sign(
      keys.getPublicKey(),
      { type: 'user', subs: -1, data: -1, payload: -1, ...allowed },
      expiresIn === undefined ? {} : { exp: now() + expiresIn },
    );
    const secret = Buffer.from((seed ?? keys).getSeed()).toString();
    return { credentials: credentialsText(jwt, secret), secrets: [secret, ...jwt.split('.').slice(1)] };
  }
}

/** A server that accepts only users of its operator's accounts, until the test ends. */
export interface OperatedNats {
  readonly server: NatsServer;
  readonly account: Account;
  /** Another account with JetStream. */
  readonly other: Account;
  /** Has no JetStream. */
  readonly poor: Account;
  /** Takes messages of 8 KiB. */
  readonly narrow: Account;
  /** The server does not know its operator. */
  readonly stranger: Account;
}

export async function operatedNats(): Promise<OperatedNats> {
  const operator = new Operator();
  const [account, other] = [new Account(operator, JETSTREAM), new Account(operator, JETSTREAM)];
  const [poor, system] = [new Account(operator, {}), new Account(operator, {})];
  const narrow = new Account(operator, { ...JETSTREAM, payload: 8_192 });
  const preload = [account, other, poor, narrow, system].map(({ id, jwt }) => `${id}: "${jwt}"`);
  const config = [
    `operator: "${operator.jwt}"`,
    `system_account: ${system.id}`,
    'resolver: MEMORY',
    `resolver_preload { ${preload.join(', ')} }`,
  ];
  const server = await natsOf({ config });
  return { server, account, other, poor, narrow, stranger: new Account(new Operator(), JETSTREAM) };
}

/** The settings of a pod that logs in as the user. */
export function envOf({ server }: OperatedNats, { credentials }: User): Record<string, string> {
  // The name is unique, since `nkeys` gives each user another seed.
  const path = join(server.folder, `${nkeys.createUser().getPublicKey()}.creds`);
  writeFileSync(path, credentials, { mode: 0o600 });
  return { ...server.env, NATS_CREDENTIALS: path };
}

/** As `nsc` writes it. */
function credentialsText(jwt: string, seed: string): string {
  return [
    '-----BEGIN NATS USER JWT-----',
    jwt,
    '------END NATS USER JWT------',
    '',
    '************************* IMPORTANT *************************',
    'NKEY Seed printed below can be used to sign and prove identity.',
    'NKEYs are sensitive and should be treated as secrets.',
    '',
    '-----BEGIN USER NKEY SEED-----',
    seed,
    '------END USER NKEY SEED------',
    '',
    '*************************************************************',
    '',
  ].join('\n');
}

function now(): number {
  return Math.floor(Date.now() / 1_000);
}

function encoded(claims: Claims): string {
  return Buffer.from(JSON.stringify(claims)).toString('base64url');
}
