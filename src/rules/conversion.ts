import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Fault } from './faults.ts';
import { shown } from './faults.ts';

/** So many values a file may hold with its aliases written out. A hundred rules have about two thousand. */
const MOST_VALUES = 100_000;

/** On which lines a file says what; paths are those of its values. */
export interface Lines {
  /** The line of the value at the path; if there is none, the line of what should contain it. */
  ofValue(path: readonly PropertyKey[]): number;
  /** The line of a key of the object at the path. */
  ofKey(path: readonly PropertyKey[], key: string): number;
}

interface Place {
  readonly key: number;
  readonly value: number;
}

/**
 * Turns the nodes of a YAML document into plain values. Unlike the parser's own conversion it takes linear time: an
 * alias becomes the same object as its anchor, and the values are counted as if they were written out.
 */
export class Conversion implements Lines {
  readonly faults: Fault[] = [];
  readonly #lineAt: (offset: number) => number;
  readonly #anchors = new Map<string, Node>();
  /** What finished anchors stand for, and how many values that is. */
  readonly #finished = new Map<Node, { value: unknown; count: number }>();
  readonly #places = new WeakMap<object, Map<PropertyKey, Place>>();
  #root: unknown;
  #rootLine = 1;
  #count = 0;

  constructor(lineAt: (offset: number) => number) {
    this.#lineAt = lineAt;
  }

  convert(root: Node | null): unknown {
    this.#rootLine = this.#lineOf(root, 1);
    this.#root = this.#valueOf(root);
    return this.#root;
  }

  ofValue(path: readonly PropertyKey[]): number {
    let line = this.#rootLine;
    let value = this.#root;
    for (const step of path) {
      const place = this.#placesIn(value)?.get(step);
      if (place === undefined) return line;
      line = place.value;
      value = (value as Record<PropertyKey, unknown>)[step];
    }
    return line;
  }

  ofKey(path: readonly PropertyKey[], key: string): number {
    let value = this.#root;
    for (const step of path) value = (value as Record<PropertyKey, unknown>)[step];
    return this.#placesIn(value)?.get(key)?.key ?? this.ofValue(path);
  }

  #placesIn(value: unknown): Map<PropertyKey, Place> | undefined {
    return typeof value === 'object' && value !== null ? this.#places.get(value) : undefined;
  }

  #valueOf(node: Node | null): unknown {
    if (isAlias(node)) return this.#aliased(node.source, this.#lineOf(node, this.#rootLine));
    const before = this.#count;
    this.#add(1, node);
    const anchor = node !== null && 'anchor' in node ? node.anchor : undefined;
    if (anchor !== undefined && node !== null) this.#anchors.set(anchor, node);
    const value = isMap(node)
      ? this.#object(node)
      : isSeq(node)
        ? this.#list(node)
        : isScalar(node)
          ? node.value
          : null;
    if (anchor !== undefined && node !== null)
      this.#finished.set(node, { value, count: this.#count - before });
    return value;
  }

  #aliased(name: string, line: number): unknown {
    const target = this.#anchors.get(name);
    const finished = target === undefined ? undefined : this.#finished.get(target);
    if (finished !== undefined) {
      this.#add(finished.count, target ?? null, line);
      return finished.value;
    }
    const why = target === undefined ? 'names no anchor above it' : 'is inside of what it stands for';
    this.faults.push({ line, text: `the alias *${name} ${why}` });
    return null;
  }

  #object(map: YAMLMap): object {
    // Without a prototype, a key such as __proto__ is a key like any other.
    const object = Object.create(null) as Record<string, unknown>;
    const places = new Map<PropertyKey, Place>();
    this.#places.set(object, places);
    const mapLine = this.#lineOf(map, this.#rootLine);
    for (const { key, value } of map.items as Pair<Node | null, Node | null>[]) {
      const line = this.#lineOf(key, mapLine);
      const name = isScalar(key) ? nameOf(key) : undefined;
      if (name === undefined) this.faults.push({ line, text: 'a key must be a plain text' });
      else if (places.has(name)) this.#duplicate(name, line, places);
      else {
        places.set(name, { key: line, value: isEmpty(value) ? line : this.#lineOf(value, line) });
        object[name] = this.#valueOf(value);
      }
    }
    return object;
  }

  #duplicate(name: string, line: number, places: ReadonlyMap<PropertyKey, Place>): void {
    const first = places.get(name)?.key;
    this.faults.push({ line, text: `the key ${shown(name)} is already given in line ${first}` });
  }

  #list(seq: YAMLSeq): unknown[] {
    const list: unknown[] = [];
    const places = new Map<PropertyKey, Place>();
    this.#places.set(list, places);
    const seqLine = this.#lineOf(seq, this.#rootLine);
    for (const item of seq.items as (Node | null)[]) {
      const line = this.#lineOf(item, seqLine);
      places.set(list.length, { key: line, value: line });
      list.push(this.#valueOf(item));
    }
    return list;
  }

  #add(count: number, node: Node | null, line = this.#lineOf(node, this.#rootLine)): void {
    const isFirst = this.#count <= MOST_VALUES;
    this.#count += count;
    if (isFirst && this.#count > MOST_VALUES) {
      const text = `up to here the file holds more than ${MOST_VALUES} values, aliases (*name) written out`;
      this.faults.push({ line, text });
    }
  }

  /** Whether there are too many values to check. */
  get isTooMuch(): boolean {
    return this.#count > MOST_VALUES;
  }

  #lineOf(node: Node | null, otherwise: number): number {
    const start = node?.range?.[0];
    return start === undefined ? otherwise : this.#lineAt(start);
  }
}

/** Of a key such as `1` or `true`, as it is written. */
function nameOf({ value, source = '' }: Scalar): string {
  return typeof value === 'string' ? value : source;
}

/** A value that is not written: its place would be the end of the line, or a later one. */
function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null && node.source !== 'null');
}
