/**
 * Runs a contender once, in a process of its own, and gives its report. Callers: `case-runner.mjs`, `profile.mjs`.
 * Invariant: one at a time; two timings at once would measure each other.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * What one run measured.
 *
 * @typedef {object} RunReport
 * @property {number} records
 * @property {number | null} bytes
 * @property {number} elapsedMs
 * @property {number} cpuSeconds
 * @property {number} peakRssBytes
 * @property {Record<string, number>} measures
 * @property {readonly import('./answer.mjs').AnswerRow[] | null} answer
 */

const benchUrl = new URL('../', import.meta.url);
const child = fileURLToPath(new URL('child.mjs', benchUrl));
/** A contender that takes longer than this is stuck. */
const RUN_MS_MAX = 600_000;
const STDERR_SHOWN_MAX = 4000;

/**
 * @param {import('./bench-case.mjs').Contender} contender
 * @param {import('../child.mjs').Request} request
 * @param {readonly string[]} [nodeArguments] further arguments of Node.js
 * @returns {Promise<RunReport>}
 */
export async function runOnce(contender, request, nodeArguments = []) {
  const job = JSON.stringify({ module: new URL(contender.module, benchUrl).href, request });
  const args = [...(contender.nodeArguments ?? []), ...nodeArguments, child, job];
  const { stdout } = await runProcess(process.execPath, args, contender.name);
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(line);
}

/**
 * Runs a program to its end. Rejects with what it wrote to its standard error when it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} name for messages
 * @returns {Promise<{ stdout: string }>}
 */
export function runProcess(command, args, name) {
  return new Promise((resolve, reject) => {
    const started = spawn(command, args, { cwd: fileURLToPath(new URL('../', benchUrl)) });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => started.kill('SIGKILL'), RUN_MS_MAX);
    started.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    started.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    started.on('error', reject);
    started.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve({ stdout });
      const how = signal === null ? `code ${code}` : `signal ${signal}`;
      reject(new Error(`${name} ended with ${how}.\n${stderr.slice(-STDERR_SHOWN_MAX)}`));
    });
  });
}
