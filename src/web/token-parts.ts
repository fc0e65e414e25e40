export interface Claims {
  readonly [name: string]: unknown;
}

export interface TokenParts {
  readonly header: Claims;
  readonly claims: Claims;
  readonly isSigned: boolean;
}

/** Why a text is not a token. The message is shown to the user. */
export class NoToken extends Error {
  override readonly name = 'NoToken';
}

/** Splits a signed JSON Web Token (RFC 7515 section 7.1) without checking its signature. Throws a NoToken. */
export function tokenParts(text: string): TokenParts {
  if (/^bearer\s/i.test(text)) throw new NoToken('Leave out the word Bearer; only the token belongs here.');
  const parts = text.split('.');
  if (parts.length === 5) throw new NoToken('It has five parts: it is encrypted and cannot be read here.');
  if (parts.length !== 3) {
    throw new NoToken(`A token has three parts with dots between them; this has ${parts.length}.`);
  }
  const [header = '', claims = '', signature] = parts;
  return {
    header: objectIn(header, 'The first part, the header,'),
    claims: objectIn(claims, 'The second part, the claims,'),
    isSigned: signature !== '',
  };
}

function objectIn(part: string, name: string): Claims {
  if (part === '') throw new NoToken(`${name} is empty.`);
  const strange = /[^A-Za-z0-9_-]/u.exec(part)?.[0];
  if (strange !== undefined) throw new NoToken(`${name} is not base64url: there is a “${strange}” in it.`);
  const text = attempt(() => textIn(part));
  if (text === undefined) throw new NoToken(`${name} is cut off, or is not text.`);
  const value = attempt((): unknown => JSON.parse(text));
  if (value === undefined) throw new NoToken(`${name} is not JSON.`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new NoToken(`${name} is not a JSON object.`);
  }
  return value as Claims;
}

function textIn(base64url: string): string {
  const bytes = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return decoder.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
