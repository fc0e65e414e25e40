import { type UpgradeRefusal, refusalHeaders } from '../core/base/upgrade-refusal.ts';
import { answerRaw } from '../core/base/raw-answer.ts';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';

/** Answers an upgrade request and ends the connection (RFC 6455 section 4.2.2, RFC 9110 section 7.8). */
export function refuse(stream: Duplex, refusal: UpgradeRefusal): void {
  answerRaw(stream, refusal, STATUS_CODES, refusalHeaders(refusal));
}
