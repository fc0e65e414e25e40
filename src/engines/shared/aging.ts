interface Link<Thing> {
  readonly name: string;
  readonly thing: Thing;
  older: Link<Thing> | undefined;
  newer: Link<Thing> | undefined;
}

/**
 * Things by name, in the order in which they were last put. A Map keeps that order too, but finding its first entry
 * costs time for each entry deleted since the Map last grew.
 */
export class Aging<Thing> {
  readonly #links = new Map<string, Link<Thing>>();
  #oldest: Link<Thing> | undefined;
  #newest: Link<Thing> | undefined;

  get(name: string): Thing | undefined {
    return this.#links.get(name)?.thing;
  }

  /** Makes it the newest. */
  put(name: string, thing: Thing): void {
    this.delete(name);
    const link: Link<Thing> = { name, thing, older: this.#newest, newer: undefined };
    this.#links.set(name, link);
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
  }

  delete(name: string): void {
    const link = this.#links.get(name);
    if (link === undefined) return;
    this.#links.delete(name);
    const { older, newer } = link;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }

  get oldest(): { readonly name: string; readonly thing: Thing } | undefined {
    return this.#oldest;
  }
}
