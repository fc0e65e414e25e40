/** What a setting may hold: how it is read, and in words what is allowed. `read` gives undefined for what is not. */
export interface Kind<T> {
  readonly allowed: string;
  /** Left out of what is printed when the value is wrong. */
  readonly secret?: boolean;
  read(value: string): T | undefined;
}

export const text: Kind<string> = { allowed: 'any text', read: (value) => value };

/** 0 lets the system choose. */
export const port: Kind<number> = { ...count(0, 65_535), allowed: 'a port, 0 to 65535' };

export function count(least: number, most: number): Kind<number> {
  return {
    allowed: `a whole number from ${least} to ${most}`,
    read(value) {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      return number >= least && number <= most ? number : undefined;
    },
  };
}

export function seconds(least: number, most: number): Kind<number> {
  return { ...count(least, most), allowed: `whole seconds from ${least} to ${most}` };
}

export function oneOf<T extends string>(...names: readonly T[]): Kind<T> {
  return { allowed: names.join(', '), read: (value) => names.find((name) => name === value) };
}

/** Paths without a slash at the end, at least one. */
export const wsPaths: Kind<readonly string[]> = {
  allowed: 'paths such as /ws,/live, each of letters, digits and - _ . ~',
  read(value) {
    const paths = value.split(',').map((path) => path.trim());
    return paths.every((path) => /^(\/[A-Za-z0-9_.~-]+)+$/.test(path)) ? paths : undefined;
  },
};
