/** How long, in milliseconds, a room that the server gave a user stays permitted to that user. */
export const GRANT_MS = 86_400_000;

/**
 * The rooms that the API gave to users, on all pods. A grant ends after `GRANT_MS`, by the engine's clock. All methods
 * raise `unavailable`.
 */
export interface Grants {
  give(userId: string, room: string): Promise<void>;
  takeBack(userId: string, room: string): Promise<void>;
  /** For how many milliseconds more the user has the room; 0 without a grant. */
  leftMs(userId: string, room: string): Promise<number>;
}
