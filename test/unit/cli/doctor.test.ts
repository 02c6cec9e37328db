import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  allChecks,
  installationCheck,
  memoryCheck,
  nodeCheck,
} from '../../../src/cli/doctor-checks.js';
import { doctorLines } from '../../../src/cli/doctor-command.js';
import { PLAIN_STYLE } from '../../../src/cli/style.js';

describe('doctor', () => {
  it('finds nothing that would keep jobs from running here', async () => {
    const checks = await allChecks(process.cwd());
    expect(checks.filter((check) => check.state === 'problem')).toEqual([]);
    const names = checks.map((check) => check.name);
    for (const name of ['node', 'cores', 'memory', 'threads', 'limits', 'disk', 'installation']) {
      expect(names).toContain(name);
    }
  });

  it('refuses versions of Node that are too old', () => {
    expect(nodeCheck('20.18.1')).toMatchObject({ state: 'problem' });
    expect(nodeCheck('18.20.0').advice).toContain('20.19');
    for (const version of ['20.19.0', '22.0.0', '24.1.0']) {
      expect(nodeCheck(version).state).toBe('ok');
    }
  });

  it('counts the limit of a container as memory', () => {
    const gb = 1024 ** 3;
    expect(memoryCheck(4 * gb, 8 * gb, 0).state).toBe('ok');
    expect(memoryCheck(4 * gb, 8 * gb, 2 ** 60).text).toBe('4.00 GB free of 8.00 GB');
    expect(memoryCheck(4 * gb, 8 * gb, gb / 4)).toMatchObject({ state: 'note' });
    expect(memoryCheck(gb / 4, 8 * gb, 0).advice).toContain('slot.memory');
  });

  it('follows the imports of the installed files', () => {
    const dist = mkdtempSync(join(tmpdir(), 'millrace-dist-'));
    try {
      for (const name of ['index.js', 'process.js', 'cli.js']) {
        writeFileSync(
          join(dist, name),
          'const { $load } = require("./load.cjs");\n$load("chunk-A");\n',
        );
      }
      writeFileSync(join(dist, 'slot.cjs'), 'const { $load } = require("./load.cjs");\n');
      writeFileSync(join(dist, 'coordinator.cjs'), '');
      mkdirSync(join(dist, 'types'));
      writeFileSync(join(dist, 'chunk-A.js'), 'const lazy = () => $late("chunk-B");\n');
      expect(installationCheck(dist)).toMatchObject({ state: 'problem' });
      expect(installationCheck(dist).text).toBe(`chunk-B.js, load.cjs missing in ${dist}`);
      writeFileSync(join(dist, 'chunk-B.js'), '');
      writeFileSync(join(dist, 'load.cjs'), '');
      expect(installationCheck(dist)).toMatchObject({ state: 'ok' });
    } finally {
      rmSync(dist, { recursive: true });
    }
  });

  it('says what to do below each finding, and a verdict', () => {
    const lines = doctorLines(
      [
        { name: 'node', state: 'problem', text: 'too old', advice: 'Install another.' },
        { name: 'cores', state: 'ok', text: '2 usable' },
      ],
      1,
      PLAIN_STYLE,
    );
    expect(lines).toEqual([
      'PROBLEM  node   too old',
      '                Install another.',
      'ok       cores  2 usable',
      '',
      '1 to solve before jobs can run.',
    ]);
  });
});
