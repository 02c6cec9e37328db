/**
 * Glob patterns as regular expressions over one path: `*` and `?` stay within a path segment, `**`
 * crosses segments, `{a,b}` is a choice, `[a-z]` and `[!a-z]` a character of a set, and `\` takes
 * the next character as it is. Callers: file resolution. Runs on: the caller's thread, at plan
 * time; pure.
 */
import { MillraceError } from '../../base/errors.js';

const MAGIC = /[*?{}[\]]/;

/** Whether a path is a pattern rather than a name. */
export function isGlob(path: string): boolean {
  return MAGIC.test(path);
}

/** The longest leading part of a pattern that holds no magic and ends at a slash; may be empty. */
export function globRoot(pattern: string): string {
  const magic = pattern.search(/[*?{}[\]\\]/);
  const fixed = magic < 0 ? pattern : pattern.slice(0, magic);
  return fixed.slice(0, fixed.lastIndexOf('/') + 1);
}

/** The pattern as an anchored regular expression over a path with forward slashes. */
export function globExpression(pattern: string): RegExp {
  let source = '';
  let braces = 0;
  let at = 0;
  while (at < pattern.length) {
    const char = pattern[at];
    if (char === '*') {
      const taken = starAt(pattern, at);
      source += taken.source;
      at = taken.end;
      continue;
    }
    if (char === '[') {
      const taken = setAt(pattern, at);
      source += taken.source;
      at = taken.end;
      continue;
    }
    if (char === '\\' && at + 1 < pattern.length) {
      source += escaped(pattern[++at]);
    } else if (char === '?') {
      source += '[^/]';
    } else if (char === '{') {
      braces++;
      source += '(?:';
    } else if (char === '}' && braces > 0) {
      braces--;
      source += ')';
    } else if (char === ',' && braces > 0) {
      source += '|';
    } else {
      source += escaped(char);
    }
    at++;
  }
  if (braces > 0) throw invalid(pattern, 'a "{" is not closed');
  return new RegExp(`^${source}$`, 'su');
}

interface Taken {
  readonly source: string;
  readonly end: number;
}

function starAt(pattern: string, start: number): Taken {
  if (pattern[start + 1] !== '*') return { source: '[^/]*', end: start + 1 };
  // `**/` also stands for no directory at all, so that `a/**/b` matches `a/b`.
  if (pattern[start + 2] === '/') return { source: '(?:.*/)?', end: start + 3 };
  return { source: '.*', end: start + 2 };
}

function setAt(pattern: string, start: number): Taken {
  const negated = pattern[start + 1] === '!' || pattern[start + 1] === '^';
  const first = start + (negated ? 2 : 1);
  // A bracket in first place is a member of the set.
  const close = pattern.indexOf(']', first + 1);
  if (close < 0) throw invalid(pattern, 'a "[" is not closed');
  const members = pattern.slice(first, close).replace(/[\\\]^[&~]/g, '\\$&');
  return { source: `(?!/)[${negated ? '^' : ''}${members}]`, end: close + 1 };
}

function escaped(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function invalid(pattern: string, what: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `The pattern ${JSON.stringify(pattern)}: ${what}.`, {
    advice: 'Put a backslash before a character that is meant as it is.',
  });
}
