/**
 * Regular expressions that bytes can be searched for: as the ways through them, in the order in which they are tried.
 * Callers: `pattern-finder.ts`. Runs on: any thread, when an expression is compiled; pure.
 *
 * Invariant: at each place of a text the first way that fits is what the regular expression would have taken. What is
 * repeated takes all it can and never has to give any of it back, since nothing behind it could take that; single bytes
 * are ASCII, so that neither ends within a character. Whatever is not surely so gives null.
 */

/** A byte that is one of a set, once or as often as it comes. */
export interface ByteStep {
  readonly kind: 'byte';
  /** By byte: 1 for those of the set. */
  readonly set: Uint8Array;
  readonly repeat: '' | '*' | '+';
}

/** A step of a way; a mark is where a group begins (twice its number) or ends (one more). */
export type PatternStep =
  | ByteStep
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'mark'; readonly mark: number };

export type PatternPath = readonly PatternStep[];

/** More would be more code than it is worth. */
const PATHS_MAX = 8;
const STEPS_MAX = 64;
const BYTES = 256;
const ASCII = 128;

/** The ways through a pattern without flags; null where bytes do not tell, or it is too much. */
export function patternPaths({ source, flags }: RegExp): readonly PatternPath[] | null {
  if (flags !== '') return null;
  const reader = new PatternReader(source);
  const paths = reader.alternatives();
  if (paths === null || !reader.isAtEnd) return null;
  return paths.every(isSettled) ? paths : null;
}

/** Whether what a way repeats is never wanted back, and every single byte is a character. */
function isSettled(path: PatternPath): boolean {
  if (path.length > STEPS_MAX) return false;
  return path.every((step, index) => {
    if (step.kind !== 'byte') return true;
    if (step.repeat === '') return step.set.lastIndexOf(1) < ASCII;
    for (const next of path.slice(index + 1)) {
      if (next.kind === 'start') return false;
      if (next.kind === 'end') return true;
      if (next.kind === 'byte' && next.repeat !== '*') {
        return !step.set.some((has, byte) => has === 1 && next.set[byte] === 1);
      }
    }
    return true;
  });
}

/** Reads the source of a pattern. Every method gives null for what is not understood. */
class PatternReader {
  readonly #source: string;
  #at = 0;
  #groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#source.length;
  }

  alternatives(): readonly PatternPath[] | null {
    const all: PatternPath[] = [];
    do {
      const paths = this.#sequence();
      if (paths === null) return null;
      all.push(...paths);
    } while (this.#takes('|'));
    return all.length > PATHS_MAX ? null : all;
  }

  #sequence(): readonly PatternPath[] | null {
    let paths: readonly PatternPath[] = [[]];
    while (!this.isAtEnd && !/[|)]/.test(this.#source[this.#at])) {
      const next = this.#term();
      if (next === null || paths.length * next.length > PATHS_MAX) return null;
      paths = paths.flatMap((path) => next.map((more) => [...path, ...more]));
    }
    return paths;
  }

  #term(): readonly PatternPath[] | null {
    if (this.#takes('^')) return this.#isRepeated ? null : [[{ kind: 'start' }]];
    if (this.#takes('$')) return this.#isRepeated ? null : [[{ kind: 'end' }]];
    if (this.#takes('(')) return this.#group();
    const set = this.#takes('[') ? this.#class() : this.#character(/[.*+?{}\]]/);
    if (set === null) return null;
    const repeat = this.#takes('*') ? '*' : this.#takes('+') ? '+' : '';
    return this.#isRepeated ? null : [[{ kind: 'byte', set, repeat }]];
  }

  #group(): readonly PatternPath[] | null {
    const isSilent = this.#takes('?:');
    if (!isSilent && this.#source[this.#at] === '?') return null;
    const number = isSilent ? null : ++this.#groups;
    const inner = this.alternatives();
    if (inner === null || !this.#takes(')') || this.#isRepeated) return null;
    if (number === null) return inner;
    const mark = (at: number): PatternStep => ({ kind: 'mark', mark: 2 * number + at });
    return inner.map((path) => [mark(0), ...path, mark(1)]);
  }

  /** A class, behind its bracket. */
  #class(): Uint8Array | null {
    const isNegated = this.#takes('^');
    const set = new Uint8Array(BYTES);
    if (this.#source[this.#at] === ']') return null;
    while (!this.#takes(']')) {
      const first = this.#character();
      if (first === null) return null;
      let last = first;
      if (this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']') {
        this.#at++;
        const to = this.#character();
        if (to === null || count(first) !== 1 || count(to) !== 1) return null;
        last = to;
      }
      if (first === last) first.forEach((has, byte) => has === 1 && (set[byte] = 1));
      else set.fill(1, first.indexOf(1), last.indexOf(1) + 1);
    }
    return isNegated ? set.map((has) => 1 - has) : set;
  }

  /** One character that is none of the special ones, or what an escape stands for. */
  #character(special?: RegExp): Uint8Array | null {
    const character = this.#source[this.#at];
    if (character === undefined || character >= '\u0080' || special?.test(character)) return null;
    this.#at++;
    if (character !== '\\') return setOf((other) => other === character);
    const escaped = this.#source[this.#at++];
    if (escaped === 'd') return setOf((other) => /\d/.test(other));
    if (escaped === 'w') return setOf((other) => /\w/.test(other));
    // Of letters only some mean themselves, of digits none.
    if (escaped === undefined || escaped >= '\u0080' || /\w/.test(escaped)) return null;
    return setOf((other) => other === escaped);
  }

  get #isRepeated(): boolean {
    return /[*+?{]/.test(this.#source[this.#at] ?? '');
  }

  #takes(text: string): boolean {
    const isThere = this.#source.startsWith(text, this.#at);
    if (isThere) this.#at += text.length;
    return isThere;
  }
}

function setOf(has: (character: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: BYTES }, (_, byte) =>
    byte < ASCII && has(String.fromCharCode(byte)) ? 1 : 0,
  );
}

/** How many bytes are in a set. */
export function count(set: Uint8Array): number {
  return set.reduce((sum, has) => sum + has, 0);
}
