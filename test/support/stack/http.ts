/** As long as a part of the stack on this host may take to answer; one that is frozen never does. */
const ANSWER_TIMEOUT_MS = 1000;

/** The answer to a GET, or undefined where none comes within a second. */
export async function ask(url: string): Promise<{ status: number; text: string } | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return undefined;
  }
}

/** Whether a GET is answered with 200. */
export async function answersOk(url: string): Promise<boolean> {
  return (await ask(url))?.status === 200;
}
