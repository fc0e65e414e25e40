import type { State } from '../../src/client/client.ts';

/** A numbered message as the application got it. */
export interface Heard {
  readonly by: string;
  readonly n: number;
  readonly id: string;
  readonly provisional: boolean;
}

/** One thing that happened to an application; as JSON it can come from another process. */
export type Note =
  | { readonly heard: Heard }
  | { readonly state: State }
  | { readonly gap: string }
  | { readonly said: number }
  | { readonly acked: readonly [n: number, id: string] }
  | { readonly refused: readonly [n: number, code: string] };

/** Everything that somebody said and was told. */
export class Notes {
  readonly name: string;
  readonly heard: Heard[] = [];
  /** Without the `connecting` it begins with. */
  readonly states: State[] = [];
  /** Why something could not be recovered, once for each time that it was told. */
  readonly gaps: string[] = [];
  /** The ids that its sends resolved with, by number. */
  readonly acked = new Map<number, string>();
  /** The codes that its sends rejected with, by number. */
  readonly refused = new Map<number, string>();
  /** How many numbers it has said. */
  said = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** How many of its numbers have neither been acked nor refused. */
  get waiting(): number {
    return this.said - this.acked.size - this.refused.size;
  }

  /** The numbers of somebody that it heard, as they came. */
  numbersOf(by: string): number[] {
    return this.heard.filter((one) => one.by === by).map(({ n }) => n);
  }

  take(note: Note): void {
    if ('heard' in note) this.heard.push(note.heard);
    else if ('state' in note) this.states.push(note.state);
    else if ('gap' in note) this.gaps.push(note.gap);
    else if ('said' in note) this.said = note.said;
    else if ('acked' in note) this.acked.set(...note.acked);
    else this.refused.set(...note.refused);
  }
}
