/**
 * `millrace doctor`: what this machine and installation offer, and what is wrong with them; with `--bundle` all of that
 * and more as one file for who is to help. Callers: `main.ts`. Runs on: the main thread.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { MillraceError } from '../base/errors.js';
import type { CommandContext } from './command-context.js';
import { allChecks, type Check } from './doctor-checks.js';
import { EXIT_FAILED, EXIT_OK } from './exit-codes.js';
import type { DoctorOptions } from './program.js';
import { type Style, styleFor } from './style.js';

/** Prints the findings; the exit code, 1 when one of them is a problem. Throws OUTPUT_EXISTS, FILE_UNWRITABLE. */
export async function doctorCommand(
  options: DoctorOptions,
  version: string,
  context: CommandContext,
): Promise<number> {
  const { json, stdout } = context;
  const { bundle } = options;
  if (bundle !== undefined && existsSync(bundle)) {
    throw new MillraceError('OUTPUT_EXISTS', `${bundle} is there already.`, {
      where: { file: resolve(bundle) },
      advice: 'Name another file, or move this one away.',
    });
  }
  const checks = await allChecks(process.cwd());
  const problems = checks.filter((check) => check.state === 'problem').length;
  if (json !== null) {
    json.line('doctor', { problems, checks });
  } else {
    const style = styleFor({ isTTY: stdout.isTTY === true, environment: process.env });
    stdout.write(`${doctorLines(checks, problems, style).join('\n')}\n`);
  }
  if (bundle !== undefined) {
    const { supportBundleCommand } = await import('./support-bundle-command.js');
    await supportBundleCommand(bundle, checks, options, version, context);
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
