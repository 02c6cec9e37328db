/**
 * `npm run bench -- [case ...] [--json] [--quick] [--runs N] [--seed N] [--save] [--profile CONTENDER]`, or
 * `npm run bench -- micro [name ...]`. Runs cases one after the other, prints them, and writes `out/bench/`. Read
 * `README.md` for what the figures mean. Ends with code 1 when a contender fails or answers something else; a missed
 * must is printed, but it is no error.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allCases } from './lib/bench-case.mjs';
import { runCase } from './lib/case-runner.mjs';
import { describeMachine } from './lib/machine.mjs';
import { runMicro } from './lib/micro-runner.mjs';
import { caseText, circumstances } from './lib/print-case.mjs';
import { profileCase } from './lib/profile.mjs';
import { reportHtml } from './lib/report-html.mjs';
import { recordOf } from './lib/results.mjs';

const RUNS = 5;
const RUNS_QUICK = 2;
const SEED = 20240101;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    seed: { type: 'string', default: String(SEED) },
    save: { type: 'boolean', default: false },
    profile: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

if (positionals[0] === 'micro') await runMicro(positionals.slice(1), values);
else await main();

async function main() {
  const cases = await chosenCases();
  if (values.list)
    return console.log(cases.map(({ name, title }) => `${name}: ${title}`).join('\n'));
  const seed = wholeNumber('seed', values.seed);
  const runs = wholeNumber('runs', values.runs ?? String(values.quick ? RUNS_QUICK : RUNS));
  const settings = { runs, seed, quick: values.quick, tell };
  if (values.profile !== undefined) return profileCase(cases, values.profile, settings);
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const run = { command, seed, machine: describeMachine() };
  const results = [];
  for (const benchCase of cases) {
    try {
      const record = recordOf(await runCase(benchCase, settings), run);
      results.push({ record, benchCase });
      tell('');
      console.log(values.json ? JSON.stringify(record) : `\n${caseText(record, benchCase)}`);
    } catch (error) {
      process.exitCode = 1;
      tell('');
      console.error(`\n${benchCase.name} failed: ${error.message}`);
    }
  }
  if (results.length === 0) return;
  if (!values.json) {
    console.log(`\n${circumstances(results[0].record)}`);
    console.log('A ratio above 1 means that Millrace is faster.');
    const { load, cores } = run.machine;
    if (load > cores / 2) console.log('The machine was busy with something else: do not quote.');
    if (values.quick)
      console.log('Small inputs measure the start more than the work: do not quote.');
  }
  writeResults(results);
}

async function chosenCases() {
  const cases = await allCases();
  if (positionals.length === 0) return cases;
  return positionals.map((name) => {
    const found = cases.find((benchCase) => benchCase.name === name);
    if (found !== undefined) return found;
    const names = [...cases.map((benchCase) => benchCase.name), 'micro'].join(', ');
    console.error(`There is no case "${name}". There are: ${names}.`);
    process.exit(1);
  });
}

function writeResults(results) {
  const out = fileURLToPath(new URL('../out/bench/', import.meta.url));
  mkdirSync(out, { recursive: true });
  const at = new Date();
  const json = JSON.stringify(
    { at: at.toISOString(), cases: results.map(({ record }) => record) },
    null,
    1,
  );
  writeFileSync(`${out}latest.json`, json);
  writeFileSync(`${out}report.html`, reportHtml(results, at));
  if (!values.json) console.log(`\nWritten: ${out}report.html, ${out}latest.json`);
  if (!values.save) return;
  const kept = fileURLToPath(new URL('results/', import.meta.url));
  mkdirSync(kept, { recursive: true });
  const { processor, cores } = results[0].record.machine;
  const machine = `${processor} ${cores} cores`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  writeFileSync(`${kept}${at.toISOString().slice(0, 10)}-${machine}.json`, json);
}

/** Shows what goes on in one line of the terminal, if there is one. */
function tell(message) {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\u001b[K${message.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}

function wholeNumber(name, text) {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= (name === 'runs' ? 1 : 0)) return number;
  console.error(`--${name} cannot be "${text}": give a whole number.`);
  process.exit(1);
}
