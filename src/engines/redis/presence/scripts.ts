import { type Script, scriptsIn } from '../connection/script.ts';

const script = scriptsIn('presence');
export const ENTER = script('enter');
export const EXIT = script('exit');
export const LOSE = script('lose');
export const NOTE = script('note');
export const TOUCH = script('touch');
export const REAP = script('reap');
export const ORPHANS = script('orphans');
export const SURVEY = script('survey');
export const TOMBSTONE = script('tombstone');
export const PRESENCE_SCRIPTS: readonly Script[] = [
  ENTER,
  EXIT,
  LOSE,
  NOTE,
  TOUCH,
  REAP,
  ORPHANS,
  SURVEY,
  TOMBSTONE,
];
