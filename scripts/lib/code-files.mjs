/**
 * Turns the chunks that esbuild has written, which are modules, into functions that `src/runtime/code-loader.ts`
 * evaluates: V8 can then keep what it has compiled, which it cannot of modules, and a thread does without the loader of
 * modules. Entries stay what they are for those who import them. Relies on how esbuild prints modules: imports one
 * after the other, and one list of exports at the end. Callers: `build.mjs`.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Rewrites files of esbuild; `modules` are the names of those that programs import, `scripts` of workers. */
export function writeCodeFiles(paths, { modules, scripts }) {
  for (const path of paths) {
    const name = basename(path, '.js');
    const text = readFileSync(path, 'utf8');
    if (modules.includes(name)) writeFileSync(path, moduleText(text));
    else if (scripts.includes(name)) {
      writeFileSync(path, scriptText(text));
      renameSync(path, join(dirname(path), `${name}.cjs`));
    } else writeFileSync(path, functionText(text, path));
  }
}

const LOADER = './load.cjs';

/** What stands for `import.meta.url`. */
export const PART_URL = '$url';

/** A module whose imports of parts are calls of the loader. */
function moduleText(text) {
  const { shebang, imports, body } = partsOf(text);
  const external = imports.filter(({ from }) => !isPart(from)).map(({ statement }) => statement);
  const internal = imports.filter(({ from }) => isPart(from)).map(importCode);
  const code = [
    ...external,
    // Imported, it would be searched for what it exports first, which takes two milliseconds.
    'const { createRequire: $require } = process.getBuiltinModule("node:module");',
    'const require = $require(import.meta.url);',
    `const { load: $load, late: $late } = require(${JSON.stringify(LOADER)});`,
    ...internal,
    `const ${PART_URL} = import.meta.url;`,
    withLateParts(body),
  ];
  return shebang + code.join('\n');
}

/** A script that exports nothing. */
function scriptText(text) {
  const { imports, body } = partsOf(text);
  return [
    '"use strict";',
    `const { load: $load, late: $late } = require(${JSON.stringify(LOADER)});`,
    ...imports.map(importCode),
    withLateParts(body),
  ].join('\n');
}

/** A function of the loader that gives the exports. */
function functionText(text, file) {
  const { imports, body, exports, list } = partsOf(text);
  const code = withLateParts(body.replace(list, '')).replace(/\bimport\(/g, '$import(');
  if (/^(?:import|export)\b/m.test(code)) throw new Error(`${file} is not as esbuild prints it.`);
  const names = exports.map(({ local, name }) => `${name}: ${local}`);
  return [
    `(function ($load, $late, $import, $require, ${PART_URL}) {`,
    '"use strict";',
    ...imports.map(importCode),
    code,
    `return { ${names.join(', ')} };`,
    '})',
    '',
  ].join('\n');
}

/** The imports of a module, its exports, and what is between. */
function partsOf(text) {
  const imports = [];
  const exports = [];
  const [shebang = ''] = /^#!.*\n/.exec(text) ?? [];
  const body = text
    .slice(shebang.length)
    .replace(
      /^import (?:(\{[^}]*\}|\* as [\w$]+|[\w$]+) from )?"([^"]+)";\n/gm,
      (statement, names, from) => {
        imports.push({ statement: statement.trimEnd(), names, from });
        return '';
      },
    );
  const list = /^export \{([^}]*)\};\n*$/m.exec(body);
  for (const item of list?.[1].split(',') ?? []) {
    const [local, name = local] = item.trim().split(' as ');
    if (local !== '') exports.push({ local, name });
  }
  return { shebang, imports, exports, body, list: list?.[0] ?? '' };
}

function isPart(from) {
  return from.startsWith('./');
}

/** An import as a declaration. */
function importCode({ names, from }) {
  const value = isPart(from)
    ? `$load(${JSON.stringify(partName(from))})`
    : from.startsWith('node:')
      ? `process.getBuiltinModule(${JSON.stringify(from)})`
      : `$require(${JSON.stringify(from)})`;
  if (names === undefined) return `${value};`;
  if (names.startsWith('* as ')) return `const ${names.slice('* as '.length)} = ${value};`;
  return `const ${names.replace(/ as /g, ': ')} = ${value};`;
}

/** Parts that are loaded late. */
function withLateParts(code) {
  return code.replace(
    /\bimport\("(\.\/[^"]+)"\)/g,
    (_, from) => `$late(${JSON.stringify(partName(from))})`,
  );
}

function partName(from) {
  return from.slice('./'.length, -'.js'.length);
}
