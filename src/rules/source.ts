import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { Conversion, type Lines } from './conversion.ts';
import type { Fault } from './faults.ts';

const EMPTY = 'the file is empty; write at least `rooms: []`';
/** After this error the parser still finds the values that were meant. */
const TAB = 'TAB_AS_INDENT';
const TOO_DEEP = 'the values are nested too deeply';

/** What a text says, and on which lines. */
export interface Source {
  readonly value: unknown;
  readonly lines: Lines;
  /** Duplicate keys and the like, which leave a value that can be checked too. */
  readonly faults: readonly Fault[];
}

/** Why a text cannot be understood. */
export interface Unreadable {
  readonly value?: undefined;
  readonly lines?: undefined;
  readonly faults: readonly Fault[];
}

/** Reads YAML, of which JSON is a part. */
export function readSource(text: string): Source | Unreadable {
  const counter = new LineCounter();
  const lineAt = (offset: number): number => Math.max(1, counter.linePos(offset).line);
  // Conversion looks for duplicate keys: the parser would compare each key of a map with all others.
  const parsed = parseAllDocuments(text, { lineCounter: counter, uniqueKeys: false, prettyErrors: false });
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  const [document, another] = documents;
  if (document === undefined) return { faults: [{ line: undefined, text: EMPTY }] };
  const faults = documents.flatMap((one) => syntaxFaults(one, lineAt));
  if (another !== undefined)
    faults.push({ line: lineAt(another.range[0]), text: 'another document begins here; keep only one' });
  if (document.errors.some(({ code }) => code !== TAB)) return { faults };
  const conversion = new Conversion(lineAt);
  const value = conversion.convert(document.contents);
  if (value === null) return { faults: [...faults, { line: undefined, text: EMPTY }] };
  if (conversion.isTooMuch) return { faults: [...faults, ...conversion.faults] };
  return { value, lines: conversion, faults: [...faults, ...conversion.faults] };
}

function syntaxFaults({ errors, warnings }: Document.Parsed, lineAt: (offset: number) => number): Fault[] {
  const deep = errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (deep !== undefined) return [{ line: lineAt(deep.pos[0]), text: TOO_DEEP }];
  // A warning is about a tag or a directive, which rules do not need.
  return [...errors, ...warnings].map(({ message, pos }) => ({
    line: lineAt(pos[0]),
    text: `not valid YAML: ${message}`,
  }));
}
