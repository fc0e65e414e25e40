const MARK = Buffer.from('"bench":"');
const DIGITS = 10;

/** The size of a published message in the message dialect, in bytes. */
const MESSAGE_BYTES = 200;

/** The data of message `number`, so long that the whole message has MESSAGE_BYTES in the message dialect. */
export function messageData(number: number): string {
  const data = (pad: string) => `{"bench":"${String(number).padStart(DIGITS, '0')}","pad":"${pad}"}`;
  const envelope = '{"type":"chat","data":}'.length + data('').length;
  return data('x'.repeat(MESSAGE_BYTES - envelope));
}

/** Where the number of the next message in this payload begins, or -1 when there is none. */
export function findMessage(bytes: Buffer, start: number, end: number): number {
  // Not `bytes.indexOf(MARK, start)`, which would search the rest of the buffer for what is not in this payload.
  const at = bytes.subarray(start, end).indexOf(MARK);
  return at < 0 ? -1 : start + at + MARK.length;
}

/** The number that begins there. */
export function readNumber(bytes: Buffer, digits: number): number {
  let number = 0;
  for (let i = digits; i < digits + DIGITS; i++) number = number * 10 + bytes.readUInt8(i) - 48;
  return number;
}
