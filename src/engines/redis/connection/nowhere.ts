import type { Away } from '../../shared/away.ts';
import { redisAway } from './answers.ts';
import type { Way } from './way.ts';

/** The way to what no server has at present. */
export class Nowhere implements Way {
  readonly up = false;
  readonly connection = '';
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  get run(): string {
    throw this.late();
  }

  get epoch(): string {
    throw this.late();
  }

  call(): Promise<never> {
    return Promise.reject(this.late());
  }

  command(): Promise<never> {
    return Promise.reject(this.late());
  }

  publish(): Promise<never> {
    return Promise.reject(this.late());
  }

  late(): Away {
    return redisAway('no server of the Cluster has this part');
  }
}
