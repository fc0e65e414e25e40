import { type Script, scriptsIn } from '../connection/script.ts';

const script = scriptsIn('presence');
export const ENTER = script('enter');
export const EXIT = script('exit');
export const LOSE = script('lose');
export const NOTE = script('note');
export const TOUCH = script('touch');
export const BURY = script('bury');
export const BEREFT = script('bereft');
export const SURVEY = script('survey');
export const GRAVE = script('grave');
export const PRESENCE_SCRIPTS: readonly Script[] = [
  ENTER,
  EXIT,
  LOSE,
  NOTE,
  TOUCH,
  BURY,
  BEREFT,
  SURVEY,
  GRAVE,
];
