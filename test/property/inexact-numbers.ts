/** What whole numbers of JSON no double holds, told apart from the engine's way by the text of each token. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARK = '\u0001inexact';

function isInexact(token: string): boolean {
  if (!/^-?\d+$/.test(token)) return false;
  const value = Number(token);
  if (!Number.isFinite(value)) return true;
  return BigInt(value) !== BigInt(token) && String(value) !== token;
}

/** Valid JSON with a mark, which `isMarked` finds, in the place of each whole number that no double holds. */
export function markInexact(text: string): string {
  return text.replace(TOKEN, (token) => (isInexact(token) ? JSON.stringify(MARK) : token));
}

export function isMarked(value: unknown): boolean {
  return JSON.stringify(value)?.includes(JSON.stringify(MARK)) ?? false;
}
