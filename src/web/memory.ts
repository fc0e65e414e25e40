/** The value that this browser stores under the key; undefined if there is none or the browser stores nothing. */
export function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(`crosspod.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Stores a value, or removes it. Does nothing if the browser stores nothing for this site. */
export function remember(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`crosspod.${key}`);
    else localStorage.setItem(`crosspod.${key}`, value);
  } catch {
    return;
  }
}
