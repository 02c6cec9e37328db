/**
 * A reporter of vitest that writes what the last lines of a run need as JSON to the path in TEST_RUN_REPORT: each
 * file with whether it came to its end, its tests, and the errors that no test caught. Vitest's own JSON says of a file
 * whose process died that it passed. Callers: `test-runs.mjs`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

export default class TestReporter {
  onTestRunEnd(modules, uncaught) {
    const files = modules.map(fileOf);
    const byName = new Map(files.map((file) => [file.name, file]));
    const elsewhere = [];
    for (const error of uncaught) {
      const file = byName.get(fromHere(error.VITEST_TEST_PATH ?? ''));
      (file?.errors ?? elsewhere).push(firstLine(error.message));
    }
    const path = process.env.TEST_RUN_REPORT;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify({ files, errors: elsewhere }));
  }
}

function fileOf(module) {
  const state = module.state();
  const errors = module.errors().map(({ message }) => firstLine(message));
  if (state === 'pending' || state === 'queued') errors.push('its process ended before it did');
  return {
    name: fromHere(module.moduleId),
    errors,
    tests: [...module.children.allTests()].map(testOf),
  };
}

function testOf(test) {
  const { state, errors } = test.result();
  return {
    name: test.fullName,
    state,
    errors: (errors ?? []).map(({ message }) => firstLine(message)),
  };
}

function fromHere(path) {
  return relative(process.cwd(), path);
}

function firstLine(text) {
  return text.split('\n', 1)[0];
}
