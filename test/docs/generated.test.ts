import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedPages } from '../../scripts/docs.mjs';
import { root } from './pages.js';

const generated = await generatedPages();

describe('generated pages', () => {
  it.each([...generated.keys()])('%s is what `npm run docs` writes', (path) => {
    const file = join(root, path);
    const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
    expect(committed, `${path} is out of date: run \`npm run docs\` and commit it`).toBe(
      generated.get(path),
    );
  });
});
