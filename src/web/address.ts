export interface Target {
  readonly url: string;
  readonly protocols: readonly string[];
}

const SUBPROTOCOLS: Readonly<Record<string, string>> = {
  message: 'crosspod.message.v1',
  channel: 'crosspod.channel.v1',
  // The client always speaks this dialect, and always sends the dialect and the token as subprotocols.
  client: 'crosspod.message.v1',
};

/** The address and subprotocols that the connection form asks for. Throws a TypeError if its server is not a URL. */
export function targetOf(form: HTMLFormElement): Target {
  const fields = new FormData(form);
  const field = (name: string): string => {
    const value = fields.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  const url = new URL(field('path'), field('server'));
  url.protocol = url.protocol.replace('http', 'ws');
  if (field('room') !== '') url.pathname += `/${encodeURIComponent(field('room'))}`;
  if (field('user') !== '') url.searchParams.set('user_id', field('user'));
  const protocols: string[] = [];
  const dialect = field('dialect');
  if (field('naming') === 'subprotocol' || dialect === 'client') protocols.push(SUBPROTOCOLS[dialect] ?? '');
  if (field('naming') === 'query') url.searchParams.set('dialect', dialect);
  const token = field('token');
  if (token !== '' && field('tokenAs') === 'query') url.searchParams.set('token', token);
  else if (token !== '') protocols.push(`bearer.${token}`);
  return { url: url.href, protocols };
}
