import type { Schema } from './frame.ts';

/**
 * The schema with a title on it and on everything in it that a generated client makes a type of: objects, lists and
 * choices. Without one generators number them, and each time anew.
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
