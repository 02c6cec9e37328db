/** Runs the built command line on a pseudo-terminal, by script(1). */
import { execFileSync } from 'node:child_process';
import { type CliOptions, cliPath, type Started, startCommand } from './run-cli.js';

export const COLUMNS = 90;
export const ROWS = 24;

/** Why there is no pseudo-terminal here; null when there is. */
export function whyNoTerminal(): string | null {
  if (process.platform !== 'linux') return 'script(1) takes other options here';
  try {
    const said = execFileSync('script', ['-qec', 'test -t 2 && echo yes', '/dev/null'], {
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    return said.includes('yes') ? null : 'script(1) gives no terminal';
  } catch {
    return 'there is no script(1)';
  }
}

/** Runs the command line with these words, which a shell reads. */
export function startOnTerminal(words: string, { env = {}, ...options }: CliOptions = {}): Started {
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec '${process.execPath}' '${cliPath}' ${words}`;
  const environment = { TERM: 'xterm', ...env };
  return startCommand('script', ['-qec', command, '/dev/null'], { ...options, env: environment });
}
