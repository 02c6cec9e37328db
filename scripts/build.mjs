/**
 * Builds the package: bundled entries with shared chunks by esbuild, the web console by Vite, and the type declarations that the public api
 * needs by tsc. `--no-types` leaves the declarations out.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { build as buildPages } from 'vite';
import { PART_URL, writeCodeFiles } from './lib/code-files.mjs';
import { reachableDeclarations } from './lib/declarations.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
/** Built aside and moved into place, so that whoever uses the old build meanwhile is not disturbed. */
const aside = join(root, `dist.${process.pid}.tmp`);
const ENTRIES = {
  index: 'src/index.ts',
  testing: 'src/testing.ts',
  state: 'src/state.ts',
  slot: 'src/runtime/slot-thread.ts',
  process: 'src/runtime/isolated-process.ts',
  // For servers, which load it when somebody asks.
  'thread-stacks': 'src/runtime/thread-stacks.ts',
  cli: 'src/cli/main.ts',
};

/**
 * What a thread has loaded, or loads anyway, by the time it loads one of these. esbuild makes a chunk for every set of
 * entries that shares code, and every file costs a thread a part of a millisecond when it starts. A part that is loaded late
 * therefore imports its companion, so that all of that is one chunk.
 */
const COMPANIONS = [
  {
    part: /^src\/operator\/(computing|stateful|sorting)\.ts$/,
    companion: 'src/runtime/slot-run.ts',
  },
  { part: /^src\/operator\/(stateful|sorting)\.ts$/, companion: 'src/operator/computing.ts' },
  { part: /^src\/runtime\/spill-space\.ts$/, companion: 'src/runtime/slot-run.ts' },
  { part: /^src\/runtime\/(slot-taps|taps)\.ts$/, companion: 'src/runtime/slot-run.ts' },
  { part: /^src\/runtime\/(slot-taps|taps)\.ts$/, companion: 'src/operator/computing.ts' },
  { part: /^src\/runtime\/(loops|tables-ahead)\.ts$/, companion: 'src/runtime/slot-run.ts' },
  { part: /^src\/runtime\/tables-ahead\.ts$/, companion: 'src/operator/computing.ts' },
  { part: /^src\/runtime\/(ahead-tasks|run-ledger)\.ts$/, companion: 'src/runtime/launch-run.ts' },
  { part: /^src\/runtime\/launch-run\.ts$/, companion: 'src/record/schema-registry.ts' },
  {
    part: /^src\/runtime\/slot-(checkpointing|regions)\.ts$/,
    companion: 'src/runtime/slot-run.ts',
  },
  { part: /^src\/connector\/.*-(reader|writer)\.ts$/, companion: 'src/runtime/slot-run.ts' },
  { part: /^src\/format\/.*-encoder\.ts$/, companion: 'src/runtime/slot-run.ts' },
  { part: /^src\/runtime\/explain-code\.ts$/, companion: 'src/runtime/slot-run.ts' },
  { part: /^src\/runtime\/(in-thread|isolated)-run\.ts$/, companion: 'src/runtime/launch-run.ts' },
  { part: /^src\/runtime\/job-reporting\.ts$/, companion: 'src/runtime/launch-run.ts' },
  { part: /^src\/(connector|runtime)\/|-command\.ts$/, companion: 'src/index.ts' },
  // The test kit builds slots and lays out their memory itself.
  { part: /^src\/testing\.ts$/, companion: 'src/runtime/slot-run.ts' },
  { part: /^src\/testing\.ts$/, companion: 'src/runtime/launch-run.ts' },
  // Of what looks into checkpoints, what jobs have too.
  { part: /^src\/state\.ts$/, companion: 'src/index.ts' },
  // Small parts that most jobs need.
  { part: /^src\/runtime\/slot-run\.ts$/, companion: 'src/connector/iterable/record-batcher.ts' },
  // Every command is given its context.
  { part: /^src\/cli\/(.*-commands?|help-texts)\.ts$/, companion: 'src/cli/command-context.ts' },
  // Whatever has errors has the url of entries.
  {
    part: /^src\/cli\/(command-context|completions|printed-tail)\.ts$/,
    companion: 'src/runtime/entry-url.ts',
  },
  { part: /^src\/cli\/(completions|printed-tail)\.ts$/, companion: 'src/base/errors.ts' },
  { part: /^native-bindings\//, companion: 'src/base/errors.ts' },
  { part: /^native-bindings\//, companion: 'src/runtime/entry-url.ts' },
  // Small parts of the runtime that every thread with a job has.
  ...[
    'base/node-disk',
    'base/clock',
    'base/function-log',
    'memory/ledger',
    'runtime/entry-url',
    'runtime/event-loop',
    'runtime/importable-url',
    'runtime/lambda-readings',
  ].map((name) => {
    return { part: /^src\/index\.ts$/, companion: `src/${name}.ts` };
  }),
];

/** The same for the thread that keeps checkpoints. */
const KEEPER_COMPANIONS = ['base/node-disk', 'runtime/coordinate', 'runtime/open-keeper'].map(
  (name) => ({ part: /^src\/runtime\/chain-merging\.ts$/, companion: `src/${name}.ts` }),
);

/** A plugin that adds them. */
function companionsBy(companions) {
  return {
    name: 'companions',
    setup({ onLoad }) {
      const parts = new Set([
        ENTRIES.index,
        ENTRIES.testing,
        ENTRIES.state,
        ENTRIES.slot,
        ENTRIES.process,
        ...lateParts(),
      ]);
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const source = relative(root, path);
        if (!parts.has(source)) return undefined;
        const imports = companions
          .filter(({ part }) => part.test(source))
          .map(({ companion }) => `import ${JSON.stringify(join(root, companion))};`)
          .join('\n');
        return { contents: `${imports}\n${readFileSync(path, 'utf8')}`, loader: 'ts' };
      });
    },
  };
}

/** The files that a build has written. */
function pathsOf({ outputs }) {
  return Object.keys(outputs).map((path) => join(root, path));
}

/** The sources that others import when they need them. */
function lateParts() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join('src', path));
  return sources.flatMap((source) => {
    const imports = readFileSync(join(root, source), 'utf8').matchAll(
      /\bimport\('(\.[^']+)\.js'\)/g,
    );
    return [...imports].map(([, target]) => `${join(dirname(source), target)}.ts`);
  });
}

const began = new Date();
sweep();
try {
  await bundle();
  await bundleConsole();
  cpSync(join(root, 'templates'), join(aside, 'templates'), { recursive: true });
  if (!process.argv.includes('--no-types')) declareTypes();
  replaceDist();
} catch {
  // esbuild and tsc have printed what is wrong.
  process.exitCode = 1;
} finally {
  rmSync(aside, { recursive: true, force: true });
}

/** No minification and no maps: the bundles are as readable as the sources, and name them in comments. */
async function bundle() {
  const options = {
    outdir: aside,
    bundle: true,
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  };
  const modules = { ...options, splitting: true, format: 'esm', chunkNames: '[name]-[hash]' };
  const parts = {
    ...modules,
    define: { 'import.meta.url': PART_URL },
    metafile: true,
    absWorkingDir: root,
  };
  const { metafile: main } = await build({
    ...parts,
    entryPoints: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, path]) => [name, join(root, path)]),
    ),
    plugins: [companionsBy(COMPANIONS)],
  });
  writeCodeFiles(pathsOf(main), {
    modules: ['index', 'testing', 'state', 'process', 'thread-stacks', 'cli'],
    scripts: ['slot'],
  });
  // What keeps checkpoints shares no code with other threads, so that its chunks do not divide theirs.
  const { metafile: keeper } = await build({
    ...parts,
    entryPoints: { keeper: join(root, 'src/runtime/keeper-thread.ts') },
    plugins: [companionsBy(KEEPER_COMPANIONS)],
  });
  writeCodeFiles(pathsOf(keeper), { modules: [], scripts: ['keeper'] });
  // Servers and their clients share none either.
  await build({ ...modules, entryPoints: { server: join(root, 'src/server.ts') } });
  await build({
    ...options,
    entryPoints: { client: join(root, 'src/client.ts') },
    format: 'esm',
  });
  // These share no code with others, and start sooner without the loader of modules.
  await build({
    ...options,
    entryPoints: {
      load: join(root, 'src/runtime/code-loader.ts'),
      coordinator: join(root, 'src/runtime/coordinator-thread.ts'),
      'state-reader': join(root, 'src/runtime/state-thread.ts'),
    },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
  });
  ownMapOfMark(join(aside, 'load.cjs'));
}

/**
 * esbuild marks exports by `{ value: true }`, which would be the first object with that only field in a thread: V8 then
 * boxes the number in every record `{ value: 1 }` of users, as it has seen something else in the field.
 */
function ownMapOfMark(path) {
  const code = readFileSync(path, 'utf8');
  writeFileSync(path, code.replace('{ value: true }', '{ value: true, enumerable: false }'));
}

/** The pages for browsers, minified; they are served, never imported. */
async function bundleConsole() {
  await buildPages({
    configFile: false,
    root: join(root, 'src/console'),
    // Where the page is, the rest is: it works behind any prefix.
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: join(aside, 'console'),
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: ['chrome123', 'firefox120', 'safari17.5'],
    },
  });
}

function declareTypes() {
  const all = join(aside, 'all-types');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', all], {
    cwd: root,
    stdio: 'inherit',
  });
  const entries = ['index', 'client', 'server', 'testing', 'state'].map((name) =>
    join(all, 'src', `${name}.d.ts`),
  );
  for (const path of new Set(entries.flatMap((entry) => reachableDeclarations(entry)))) {
    const target = join(aside, 'types', relative(all, path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
  rmSync(all, { recursive: true });
}

function replaceDist() {
  const stamp = join(aside, '.built');
  writeFileSync(stamp, '');
  utimesSync(stamp, began, began);
  const old = join(root, `dist.${process.pid}.old.tmp`);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(aside, dist);
  rmSync(old, { recursive: true, force: true });
}

/** Removes what builds that were killed left behind. */
function sweep() {
  for (const name of readdirSync(root)) {
    const [, pid] = /^dist\.(\d+)\.(?:old\.)?tmp$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) {
      rmSync(join(root, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
