import type { Pod } from './core/commands/pod.ts';

/** A start that takes no longer has nothing to say; then it is looked so often whether something has changed. */
const LOOK_MS = 2_000;

/** Says in the log what a pod that starts waits for, and why, and says it again when that changes. The answer ends it. */
export function sayWhatIsAwaited({ broker, clock, log }: Pod, seconds: number): () => void {
  let said: string | undefined;
  let cancel: () => void;
  const lookLater = (): void => {
    cancel = clock.after(LOOK_MS, () => {
      const engine = broker.troubles?.() ?? [];
      const text = JSON.stringify(engine);
      if (text !== said) {
        log.warn(
          { engine, seconds },
          'not reached yet; clients are not served until it is, or the time is over',
        );
      }
      said = text;
      lookLater();
    });
  };
  lookLater();
  return () => cancel();
}
