/**
 * `npm run docs`: writes the pages of `docs/` that are generated from the sources. `generatedPages` is also what the
 * test calls that compares them with the committed ones.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiReportPage } from './docs/api-report.mjs';
import { configurationPage } from './docs/configuration.mjs';
import { connectorsPage } from './docs/connectors.mjs';
import { errorCodesPage } from './docs/error-codes.mjs';
import { expressionsPage } from './docs/expressions.mjs';
import { metricReferencePage } from './docs/metric-reference.mjs';
import { importSources } from './lib/import-source.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Path from the repository's root and text of every generated page. */
export async function generatedPages() {
  const sources = await importSources([
    'src/index.ts',
    'src/base/error-codes.ts',
    'src/base/error-meanings.ts',
    'src/cli/config-environment.ts',
    'src/operator/expression-functions.ts',
    'src/operator/expression-function-meanings.ts',
    'src/operator/expression-signature.ts',
    'src/reporters/reporter-options.ts',
    'src/runtime/metric-definitions.ts',
    'src/runtime/metric-meanings.ts',
    'src/runtime/settings.ts',
    'src/runtime/setting-meanings.ts',
  ]);
  return new Map([
    ['docs/api-report.md', apiReportPage(root)],
    ['docs/configuration.md', configurationPage(sources)],
    ['docs/connectors.md', connectorsPage(sources)],
    ['docs/error-codes.md', errorCodesPage(sources)],
    ['docs/expressions.md', expressionsPage(sources)],
    ['docs/metric-reference.md', metricReferencePage(sources)],
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await generatedPages()) {
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}
