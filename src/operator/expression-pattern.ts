/**
 * Patterns of text functions, compiled once when code is generated. In an expression a regular expression is
 * the text that `String(/a+/i)` gives. Callers: the table of text functions. Runs on: any thread; pure.
 */

/** Reads `/source/flags`; throws a plain Error when it is not a regular expression. */
function parsePattern(text: string): RegExp {
  const match = /^\/(.+)\/([a-z]*)$/s.exec(text);
  if (match === null) throw new Error(`${JSON.stringify(text)} is not of the form /source/flags`);
  return new RegExp(match[1], match[2]);
}

/**
 * A regular expression for testing and extracting. The flags g and y are dropped, for they would make the
 * result depend on the record before.
 */
export function plainPattern(text: string): RegExp {
  const pattern = parsePattern(text);
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
}

/** A regular expression for replacing every match. */
export function replacePattern(text: string): RegExp {
  const pattern = parsePattern(text);
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`);
}

/** An SQL pattern as a regular expression for the whole text. */
export function likePattern(pattern: string, flags: string): RegExp {
  let source = '';
  let isEscaped = false;
  for (const character of pattern) {
    if (!isEscaped && character === '\\') {
      isEscaped = true;
      continue;
    }
    if (!isEscaped && character === '%') source += '.*';
    else if (!isEscaped && character === '_') source += '.';
    else source += character.replace(/[\\^$.*+?()[\]{}|/]/u, '\\$&');
    isEscaped = false;
  }
  if (isEscaped) throw new Error('the pattern ends with the escape character \\');
  return new RegExp(`^${source}$`, flags);
}
