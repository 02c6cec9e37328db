/** Input of numbers by key in order, and whether the output of `failing-often.mjs` has each exactly once. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class NumberedInput {
  readonly params: Readonly<Record<string, unknown>>;
  readonly #out: string;
  readonly #rows: number;
  readonly #held: string;

  constructor(directory: string, { keys = 30, perKey = 400 } = {}) {
    const input = join(directory, 'in.ndjson');
    this.#out = join(directory, 'out');
    this.#rows = keys * perKey;
    mkdirSync(join(directory, 'marks'), { recursive: true });
    mkdirSync(this.#out, { recursive: true });
    const lines: string[] = [];
    for (let number = 1; number <= perKey; number++) {
      for (let key = 0; key < keys; key++) lines.push(JSON.stringify({ key, number }));
    }
    writeFileSync(input, `${lines.join('\n')}\n`);
    const marks = join(directory, 'marks');
    const never = { failEvery: 1e9, failures: 0 };
    this.params = { input, output: this.#out, marks, ...never, pauseEvery: 20 };
    this.#held = join(directory, 'held');
  }

  /** Params of a job that becomes so slow that it is there, however slow the machine, until `release`. */
  get heldParams(): Readonly<Record<string, unknown>> {
    writeFileSync(this.#held, '');
    return { ...this.params, held: this.#held };
  }

  /** Has the job hurry to its end. */
  release(): void {
    rmSync(this.#held);
  }

  /** What is wrong with the output; all zero for nothing. */
  faults(): { readonly missing: number; readonly repeated: number; readonly wrong: number } {
    const seen = new Set<string>();
    let [rows, wrong] = [0, 0];
    const parts = existsSync(this.#out) ? readdirSync(this.#out) : [];
    for (const part of parts.filter((name) => !name.startsWith('.'))) {
      const [, ...lines] = readFileSync(join(this.#out, part), 'utf8').trim().split('\n');
      for (const line of lines) {
        const [key, number, expected] = line.split(',');
        if (number !== expected) wrong++;
        seen.add(`${key}/${number}`);
        rows++;
      }
    }
    return { missing: this.#rows - seen.size, repeated: rows - seen.size, wrong };
  }
}

export const NO_FAULTS = { missing: 0, repeated: 0, wrong: 0 };
