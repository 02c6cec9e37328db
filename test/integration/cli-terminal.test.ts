import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../unit/cli/fake-terminal.js';
import { COLUMNS, ROWS, startOnTerminal, whyNoTerminal } from './pseudo-terminal.js';
import { cliPath, fixture } from './run-cli.js';

const reason = whyNoTerminal();

/** What a person sees in the end. */
function shownBy(output: string, rows = ROWS): FakeTerminal {
  const terminal = new FakeTerminal(COLUMNS, rows);
  terminal.write(output);
  return terminal;
}

describe.skipIf(reason !== null)(
  `on a terminal${reason === null ? '' : ` (skipped: ${reason})`}`,
  () => {
    it('draws the running job below its results and leaves one block', async () => {
      const parameters = '--param rows=40 --param rowsPerSecond=30';
      const started = startOnTerminal(`run '${fixture('printing.mjs')}' -p 2 ${parameters}`);
      const { code, stdout } = await started.finished;
      expect(code).toBe(0);
      expect(stdout).toContain('\x1b[?25l');
      expect(stdout).toContain('│ 39 │');
      // The view was drawn and erased several times in between.
      expect(stdout.split('waits for input').length).toBeGreaterThan(2);
      const terminal = shownBy(stdout, 100);
      expect(terminal.isCursorVisible).toBe(true);
      const lines = terminal.lines();
      expect(lines[0]).toBe('printing: 2 chains in 2 slots, at-least-once');
      expect(lines[1]).toBe('Rows');
      expect(lines.slice(2, 46).every((line) => /^[│┌├└]/.test(line))).toBe(true);
      expect(lines[46]).toBe('');
      expect(lines[47]).toMatch(/^chain +rows\/s +rows/);
      expect(lines.slice(48, 50).map((line) => line.split(/ {2,}/)[0])).toEqual([
        'datagen of 40 rows → map ×2',
        'print Rows ×1',
      ]);
      expect(lines[51]).toMatch(/^printing finished in \d+\.\d+ s: 40 rows, \d+ rows\/s$/);
      expect(lines).toHaveLength(52);
    });

    it('gives the cursor back after Ctrl-C', async () => {
      const parameters = '--param rows=0 --param rowsPerSecond=20';
      const started = startOnTerminal(`run '${fixture('printing.mjs')}' -p 2 ${parameters}`);
      await started.seen('waits for input');
      started.child.stdin?.write('\x03');
      const { code, stdout } = await started.finished;
      expect(code).toBe(130);
      const terminal = shownBy(stdout);
      expect(terminal.isCursorVisible).toBe(true);
      expect(terminal.lines().at(-1)).toMatch(/^printing canceled after/);
    });

    it('gives the cursor back when the job fails, and shows the error below the block', async () => {
      const started = startOnTerminal(`run '${fixture('failing.mjs')}' -p 2`, {
        env: { FORCE_COLOR: '0' },
      });
      const { code, stdout } = await started.finished;
      expect(code).toBe(1);
      const terminal = shownBy(stdout, 100);
      expect(terminal.isCursorVisible).toBe(true);
      const text = terminal.lines().join('\n');
      expect(text).toMatch(/failing failed after .*\n(.*\n)*\nUSER_FUNCTION_FAILED /);
      expect(text).toContain("throw new TypeError('bad record 4321')");
      expect(stdout).not.toContain('\x1b[31m');
    });

    it.each([{ CI: 'true', NO_COLOR: '1' }, { TERM: 'dumb' }])(
      'writes plain lines with %j',
      async (env) => {
        const started = startOnTerminal(`run '${fixture('printing.mjs')}' -p 1`, { env });
        const { code, stdout } = await started.finished;
        expect(code).toBe(0);
        expect(stdout).not.toContain('\x1b[?25l');
        expect(stdout).not.toContain('chain  ');
        expect(stdout).toContain('printing finished in');
      },
    );

    it('has the built command line to run', () => {
      expect(existsSync(cliPath)).toBe(true);
    });
  },
);
