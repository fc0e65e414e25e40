/**
 * The folder `src`. The bundle in `dist` reads Lua scripts and pages from there too, so the path starts at its parent.
 */
export const SOURCES = new URL('../src/', import.meta.url);
