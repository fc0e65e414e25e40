/** What a process of the load answers to a command it could not obey. */
export interface Failed {
  readonly kind: 'failed';
  readonly error: string;
}

/** Obeys the commands of the process that started this one, until that is gone. */
export function serve(obey: (command: unknown) => Promise<object>): void {
  process.on('message', (command) => {
    obey(command)
      .catch((error: unknown): Failed => ({ kind: 'failed', error: String(error) }))
      .then((reply) => process.send?.(reply))
      .catch(() => process.exit(1));
  });
  process.on('disconnect', () => process.exit(0));
}
