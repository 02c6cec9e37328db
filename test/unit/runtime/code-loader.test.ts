/** What threads keep of the code that they have compiled, on a copy of the built package. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../architecture/source-files.js';

const PROGRAM = `
import { datagen, discard, job, run, sequence } from './dist/index.js';
const counted = job('counted', (flow) => {
  flow.from(datagen({ rows: 100, seed: 1, fields: { id: sequence() } })).to(discard());
});
const { state } = await run(counted, { parallelism: 1, settings: { runtime: process.argv[2] } });
process.stdout.write(state);
`;

function flippedBit(code: Buffer): Buffer {
  code[code.length >> 1] ^= 1;
  return code;
}

describe('the loader of code', () => {
  let folder = '';
  let kept = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-code-'));
    kept = join(folder, 'dist', 'code');
    // What is kept there changes meanwhile, by other programs.
    const filter = (path: string): boolean => path !== join(root, 'dist', 'code');
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true, filter });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'program.js'), PROGRAM);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const runProgram = (runtime = 'threads', ...flags: string[]): string =>
    execFileSync(process.execPath, [...flags, join(folder, 'program.js'), runtime], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  /** When each file was written; runs that take what is kept write nothing. */
  const written = (): Record<string, number> =>
    Object.fromEntries(readdirSync(kept).map((name) => [name, statSync(join(kept, name)).mtimeMs]));

  it('keeps what a thread has compiled, and takes it', () => {
    expect(runProgram()).toBe('FINISHED');
    const first = written();
    expect(Object.keys(first).length).toBeGreaterThan(3);
    expect(runProgram()).toBe('FINISHED');
    expect(written()).toEqual(first);
  });

  it('writes nothing from a program that has no threads', () => {
    expect(runProgram('in-thread')).toBe('FINISHED');
    expect(readdirSync(join(folder, 'dist'))).not.toContain('code');
  });

  it.each<[string, (code: Buffer) => Buffer]>([
    ['cut short', (code) => code.subarray(0, code.length / 2)],
    ['empty', () => Buffer.alloc(0)],
    ['zeros, as after a power cut', (code) => Buffer.alloc(code.length)],
    ['damaged in one bit', flippedBit],
  ])('compiles again what is %s', (_, damage) => {
    runProgram();
    const good = new Map(readdirSync(kept).map((name) => [name, readFileSync(join(kept, name))]));
    for (const [name, code] of good) writeFileSync(join(kept, name), damage(Buffer.from(code)));
    const before = written();
    expect(runProgram()).toBe('FINISHED');
    for (const [name, atMs] of Object.entries(written())) expect(atMs).not.toBe(before[name]);
    const mended = written();
    expect(runProgram()).toBe('FINISHED');
    expect(written()).toEqual(mended);
  });

  it('compiles again a part whose text has changed to another one of the same length', () => {
    runProgram();
    const parts = readdirSync(join(folder, 'dist')).filter((name) => name.startsWith('datagen'));
    expect(parts).toHaveLength(1);
    const file = join(folder, 'dist', parts[0]);
    const text = readFileSync(file, 'utf8');
    const changed = text.replace('"use strict";', 'throw 432178;');
    expect(changed).toHaveLength(text.length);
    writeFileSync(file, changed);
    expect(() => runProgram()).toThrow('432178');
  });

  it('compiles again under flags that V8 compiles other code with', () => {
    runProgram();
    expect(runProgram('threads', '--no-lazy-feedback-allocation')).toBe('FINISHED');
  });

  it('runs where nothing can be written', () => {
    writeFileSync(kept, 'no directory');
    expect(runProgram()).toBe('FINISHED');
    expect(readFileSync(kept, 'utf8')).toBe('no directory');
  });

  it('leaves nothing half written', () => {
    runProgram();
    expect(readdirSync(kept).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
