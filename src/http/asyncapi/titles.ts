import type { Schema } from './frame.ts';

/**
 * Gives a title to the schema and to every part of which a generated client makes a type: objects, lists and choices.
 * Without titles, generators number these types, with other numbers after each change.
 */
export function titled(schema: Schema, title: string): Schema {
  const { properties, items } = schema as { properties?: Record<string, Schema>; items?: Schema };
  const isType = properties !== undefined || items !== undefined || 'enum' in schema || 'const' in schema;
  return {
    ...(isType || schema['type'] === 'object' ? { title } : {}),
    ...schema,
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, part]) => [name, titled(part, title + pascal(name))]),
      ),
    }),
    ...(items !== undefined && { items: titled(items, `${title}Item`) }),
  };
}

/** `last_id` and `presenceSync` as `LastId` and `PresenceSync`. */
export function pascal(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
