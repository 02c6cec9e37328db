/**
 * On which line each key of a JSON text stands, for messages about its value. Callers: `config-file.ts`. Runs on: the
 * main thread; pure. The text is one that `JSON.parse` has accepted.
 */

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:\n]/g;

/** Lines, counted from 1, by dotted key. */
export function jsonKeyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  /** The keys that lead to the innermost object; null for the outermost one and for items of lists. */
  const path: (string | null)[] = [];
  let line = 1;
  let lastText = '';
  let lastLine = 1;
  let key: string | null = null;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '\n') line++;
    else if (token === ':') {
      key = String(JSON.parse(lastText));
      lines.set([...path, key].filter((part) => part !== null).join('.'), lastLine);
    } else if (token === '{' || token === '[') {
      path.push(key);
      key = null;
    } else if (token === '}' || token === ']') {
      path.pop();
    } else {
      lastText = token;
      lastLine = line;
    }
  }
  return lines;
}
