import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { codeFrame, placeOf, userPlaces } from '../../../src/cli/code-frame.js';
import { errorReport } from '../../../src/cli/error-report.js';
import { exitCodeOfCall } from '../../../src/cli/exit-codes.js';
import { PLAIN_STYLE } from '../../../src/cli/style.js';

let directory = '';
let file = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-report-'));
  file = join(directory, 'job.ts');
  const lines = ['one', 'two', '\tthree(bad)', 'four', 'five', 'six', ''];
  writeFileSync(file, lines.join('\n'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const report = (error: unknown): string =>
  errorReport(error, { style: PLAIN_STYLE, plan: null, directory });

function thrownAt(line: number, error: Error): Error {
  error.stack = `${error.name}: ${error.message}\n    at bad (${file}:${line}:8)\n    at node:vm:1:1`;
  return error;
}

describe('places in stacks', () => {
  it('are those of the user, not of Node, packages or the engine', () => {
    const stack = [
      'TypeError: no',
      '    at millrace:chain/map:3:5',
      '    at explode (/home/me/job.ts:7:11)',
      '    at async Promise.all (index 0)',
      '    at async file:///home/me/my%20job.mjs:9:2',
      '    at new Thing (/home/me/node_modules/thing/index.js:1:1)',
      '    at Object.<anonymous> (/opt/millrace/dist/chunk-A.js:5:5)',
      '    at Module._compile (node:internal/modules/cjs/loader:1554:14)',
      '    at C:\\jobs\\job.ts:4:4',
    ].join('\n');
    expect(userPlaces(stack, ['/opt/millrace/dist/'])).toEqual([
      { file: '/home/me/job.ts', line: 7, column: 11 },
      { file: '/home/me/my job.mjs', line: 9, column: 2 },
      { file: 'C:\\jobs\\job.ts', line: 4, column: 4 },
    ]);
  });

  it('are read from texts', () => {
    expect(placeOf('/a/b.ts:3:7')).toEqual({ file: '/a/b.ts', line: 3, column: 7 });
    expect(placeOf('/a/b.ts:3')).toEqual({ file: '/a/b.ts', line: 3, column: null });
    expect(placeOf('nowhere')).toBeNull();
  });
});

describe('a code frame', () => {
  it('shows a line with its neighbours and a mark below the column, tabs kept', () => {
    expect(codeFrame({ file, line: 3, column: 8 }, PLAIN_STYLE)).toEqual([
      '  1 | one',
      '  2 | two',
      '> 3 | \tthree(bad)',
      '    | \t      ^',
      '  4 | four',
      '  5 | five',
    ]);
  });

  it('ends with the file, and is empty where there is nothing to show', () => {
    expect(codeFrame({ file, line: 6, column: null }, PLAIN_STYLE)).toHaveLength(3);
    expect(codeFrame({ file, line: 60, column: 1 }, PLAIN_STYLE)).toEqual([]);
    expect(codeFrame({ file: `${file}.gone`, line: 1, column: 1 }, PLAIN_STYLE)).toEqual([]);
  });
});

describe('the report of an error', () => {
  it('of a user function shows its line, the place, the cause', () => {
    const cause = thrownAt(3, new TypeError('bad record'));
    const error = new MillraceError('USER_FUNCTION_FAILED', 'The function of "map" threw.', {
      cause,
      where: { job: 'j', operator: 'map', uid: 'map-1', subtask: 2, record: 7 },
      advice: `Look at the cause; its stack points into the function.`,
    });
    expect(report(error)).toBe(
      [
        'USER_FUNCTION_FAILED The function of "map" threw.',
        '',
        '  job.ts:3:8',
        '    1 | one',
        '    2 | two',
        '  > 3 | \tthree(bad)',
        '      | \t      ^',
        '    4 | four',
        '    5 | five',
        '',
        '  where    job j, operator map, uid map-1, subtask 2, record 7 of its batch',
        '  cause    TypeError: bad record',
        '           at job.ts:3:8',
      ].join('\n'),
    );
  });

  it('names the line that created the operator, from the plan', () => {
    const spec = { uid: 'map-1', name: 'map', createdAt: `${file}:5:2` };
    const plan = { vertices: [{ operators: [{ spec }], sinks: [], source: null }] };
    const error = new MillraceError('KEY_UNSUPPORTED', 'The key is null.', {
      where: { operator: 'map', uid: 'map-1' },
      advice: `Drop such records. The operator was created at ${file}:5:2.`,
    });
    const context = { style: PLAIN_STYLE, plan: plan as never, directory };
    const text = errorReport(error, context);
    expect(text).toContain('> 5 | five');
    expect(text).toContain('advice   Drop such records.');
    expect(text).not.toContain('created');
    const cause = thrownAt(3, new Error('other'));
    const thrown = new MillraceError('USER_FUNCTION_FAILED', 'Threw.', {
      cause,
      where: error.where,
    });
    expect(errorReport(thrown, context)).toContain('  created  job.ts:5:2');
  });

  it('of data names the file and the byte instead of a frame', () => {
    const error = new MillraceError('BAD_RECORD', 'The row has 2 fields.', {
      where: { file: join(directory, 'in.csv'), line: 4, byteOffset: 99 },
      advice: 'Use onError: "skip".',
    });
    expect(report(error)).toBe(
      [
        'BAD_RECORD The row has 2 fields.',
        '',
        '  file     in.csv:4, byte 99',
        '  advice   Use onError: "skip".',
      ].join('\n'),
    );
  });

  it('of a module that cannot be parsed shows the line that Node or the compiler names', () => {
    const syntax = new SyntaxError('Unexpected token');
    syntax.stack = `file://${file}:2\ntwo\n  ^\n\nSyntaxError: Unexpected token`;
    expect(report(syntax)).toContain('> 2 | two');
    const compiler = Object.assign(new Error('Build failed with 1 error:\nx'), {
      errors: [{ text: 'x', location: { file, line: 4, column: 0 } }],
    });
    const error = new MillraceError('JOB_NOT_IMPORTABLE', 'The job does not compile: x', {
      cause: compiler,
    });
    expect(report(error)).toContain('> 4 | four\n      | ^');
    expect(report(error)).not.toContain('Build failed');
  });

  it('of anything else that was thrown is not lost', () => {
    expect(report('just text')).toBe('Error just text');
    expect(report(thrownAt(1, new RangeError('too far')))).toContain('RangeError too far');
  });
});

describe('exit codes', () => {
  it('take everything before a run for a wrong call, but for defects of the engine', () => {
    expect(exitCodeOfCall(new MillraceError('FILE_NOT_FOUND', 'x'))).toBe(2);
    expect(exitCodeOfCall(new SyntaxError('x'))).toBe(2);
    expect(exitCodeOfCall(new MillraceError('ASSERTION', 'x'))).toBe(1);
  });
});
