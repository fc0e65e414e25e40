import type { HistoryLimits, RoomRule, RoomRules } from '../core/ports/room-rules.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../core/ports/log.ts';
import { every } from '../core/base/every.ts';
import { type LoadedRules, loadRules, RulesError, rulesIn } from './load-rules.ts';
import { readRulesText, type RulesText } from './rules-text.ts';
import type { RulesContext } from './setting-faults.ts';
import { RuleTable } from './rule-table.ts';

/** How often the file is read. A change counts once it was seen twice: the file may be half written. */
const READ_EVERY_MS = 1_500;

export interface FileRulesOptions extends RulesContext {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls `task` at each SIGHUP until the returned function is called. */
  readonly onHangup: (task: () => void) => () => void;
}

/** The rules of a file, which it follows. While the file is faulty, the rules that were read before stay in force. */
export class FileRules implements RoomRules {
  readonly #options: FileRulesOptions;
  #table: RuleTable;
  /** What the file held when it was last judged. */
  #judged: RulesText;
  /** What the file holds now, if that differs. */
  #awaited: RulesText | undefined;
  #work: Promise<void> = Promise.resolve();
  #stops: readonly (() => void)[] = [];
  #changed: () => void = () => undefined;
  /** For metrics. */
  readonly figures: { rules: number; loadedAt: number; failures: number };

  private constructor(options: FileRulesOptions, { rules, content }: LoadedRules) {
    this.#options = options;
    this.#judged = content;
    this.#table = new RuleTable(rules, options.defaults);
    this.figures = { rules: rules.length, loadedAt: options.clock.now(), failures: 0 };
  }

  /** Raises RulesError. */
  static async load(options: FileRulesOptions): Promise<FileRules> {
    const loaded = await loadRules(options.path, options);
    const rules = new FileRules(options, loaded);
    rules.#warn(loaded.warnings);
    return rules;
  }

  ruleOf(room: string): RoomRule {
    return this.#table.ruleOf(room);
  }

  get widest(): HistoryLimits {
    return this.#table.widest;
  }

  start(changed: () => void): void {
    this.#changed = changed;
    const { clock, onHangup } = this.#options;
    this.#stops = [
      every(clock, READ_EVERY_MS, () => this.#look(false)),
      onHangup(() => void this.#look(true)),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** Reads the file; one reading follows the other. `isAsked`: the operator says that the file is complete. */
  #look(isAsked: boolean): Promise<void> {
    // A fault of this program must not end the following of the file.
    const failed = (error: unknown): void =>
      this.#options.log.error({ err: error }, 'following the rules failed');
    this.#work = this.#after(this.#work, isAsked).catch(failed);
    return this.#work;
  }

  async #after(earlier: Promise<void>, isAsked: boolean): Promise<void> {
    await earlier;
    const content = await readRulesText(this.#options.path);
    const isSettled = isAsked || (this.#awaited !== undefined && isSame(content, this.#awaited));
    this.#awaited = content;
    if (this.#stops.length > 0 && isSettled && !isSame(content, this.#judged)) this.#judge(content);
    else if (isAsked) this.#options.log.info({}, 'SIGHUP: the file of rules has not changed');
  }

  #judge(content: RulesText): void {
    this.#judged = content;
    const { path, log } = this.#options;
    try {
      this.#take(rulesIn(content, path, this.#options));
    } catch (error) {
      if (!(error instanceof RulesError)) throw error;
      this.figures.failures += 1;
      const { problems: faults } = error;
      log.error({ faults }, 'the file of rules is not valid; the rules read before stay in force');
    }
  }

  #take({ rules, warnings }: LoadedRules): void {
    const { defaults, clock, log } = this.#options;
    this.#table = new RuleTable(rules, defaults);
    this.figures.rules = rules.length;
    this.figures.loadedAt = clock.now();
    log.info({ rules: rules.length }, 'new rules for rooms are in force');
    this.#warn(warnings);
    this.#changed();
  }

  #warn(warnings: readonly string[]): void {
    if (warnings.length > 0) this.#options.log.warn({ warnings }, 'some rules for rooms hold for no room');
  }
}

function isSame(one: RulesText, other: RulesText): boolean {
  return one.text === other.text && one.why === other.why;
}
