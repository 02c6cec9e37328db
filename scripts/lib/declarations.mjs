/**
 * Type declarations as files: which of them a declaration needs, and its text without comments. Callers: the build,
 * which ships only what the public api needs, and the api report.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The declaration files that `entry` reaches through its imports and exports, itself first. */
export function reachableDeclarations(entry) {
  const reached = new Set([entry]);
  for (const path of reached) {
    for (const specifier of specifiersOf(readFileSync(path, 'utf8'))) {
      const target = join(dirname(path), specifier.replace(/\.js$/, '.d.ts'));
      if (specifier.startsWith('.') && existsSync(target)) reached.add(target);
    }
  }
  return [...reached];
}

/** The modules that a declaration file names in imports, exports and `import('…')` types. */
function specifiersOf(text) {
  const named = withoutComments(text).matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g);
  return [...named].map((match) => match[1]);
}

/** The text without comments; strings, which may hold what looks like one, are kept as they are. */
export function withoutComments(text) {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, string) => string ?? '',
  );
}
