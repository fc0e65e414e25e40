/** What this browser remembers under the key; undefined also where the browser keeps nothing for this site. */
export function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(`crosspod.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers a value, or forgets it; where the browser keeps nothing, the page works without. */
export function remember(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`crosspod.${key}`);
    else localStorage.setItem(`crosspod.${key}`, value);
  } catch {
    return;
  }
}
