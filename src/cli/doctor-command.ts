/**
 * `millrace doctor`: what this machine and installation offer, and what is wrong with them. Callers: `main.ts`.
 * Runs on: the main thread.
 */
import type { CommandContext } from './command-context.js';
import { allChecks, type Check } from './doctor-checks.js';
import { EXIT_FAILED, EXIT_OK } from './exit-codes.js';
import { type Style, styleFor } from './style.js';

/** Prints the findings; the exit code, 1 when one of them is a problem. */
export async function doctorCommand({ json, stdout }: CommandContext): Promise<number> {
  const checks = await allChecks(process.cwd());
  const problems = checks.filter((check) => check.state === 'problem').length;
  if (json !== null) {
    json.line('doctor', { problems, checks });
  } else {
    const style = styleFor({ isTTY: stdout.isTTY === true, environment: process.env });
    stdout.write(`${doctorLines(checks, problems, style).join('\n')}\n`);
  }
  return problems === 0 ? EXIT_OK : EXIT_FAILED;
}

/** The findings line by line, what to do below each, and the verdict. */
export function doctorLines(
  checks: readonly Check[],
  problems: number,
  style: Style,
): readonly string[] {
  const marks = {
    ok: style.green('ok     '),
    note: style.yellow('note   '),
    problem: style.red('PROBLEM'),
  };
  const width = Math.max(...checks.map((check) => check.name.length));
  const lines = checks.flatMap(({ name, state, text, advice }) => [
    `${marks[state]}  ${name.padEnd(width)}  ${text}`,
    ...(advice === undefined ? [] : [style.dim(`${' '.repeat(width + 11)}${advice}`)]),
  ]);
  const verdict = problems === 0 ? 'No problems.' : `${problems} to solve before jobs can run.`;
  return [...lines, '', verdict];
}
