/** A line of ConfigError: the name of the setting, what was given unless that may be secret, and what is allowed. */
export function problem(name: string, given: string | undefined, allowed: string): string {
  const what = given === undefined ? 'the value given is not valid' : `${JSON.stringify(given)} is not valid`;
  return `${name}: ${what}; allowed: ${allowed}`;
}

/** The value, unless it may contain a secret: with an `@`, it may contain a password. */
export function printable(given: string, isSecret = given.includes('@')): string | undefined {
  return isSecret ? undefined : given;
}
