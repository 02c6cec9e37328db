/**
 * Compiles the Java of this folder against the jars of a Flink and puts it among them. Callers: `flink-cluster.mjs`.
 * Runs on: the caller's thread. The jar is made again when a source is newer.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const JAR = 'millrace-nexmark.jar';
/** Runs a file of SQL. */
export const MAIN_CLASS = 'millrace.nexmark.SqlJob';
const FACTORIES = ['millrace.nexmark.EventTableFactory', 'millrace.nexmark.SideTableFactory'];
const JAVA_RELEASE = '17';

const sources = fileURLToPath(new URL('java/', import.meta.url));

/** @param {string} home of Flink */
export function installJar(home) {
  const library = join(home, 'lib');
  const jar = join(library, JAR);
  const files = readdirSync(sources).map((name) => join(sources, name));
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (existsSync(jar) && statSync(jar).mtimeMs > newest) return;
  const classes = mkdtempSync(join(tmpdir(), 'millrace-flink-'));
  try {
    const jars = readdirSync(library).filter((name) => name !== JAR);
    const path = jars.map((name) => join(library, name)).join(':');
    const quietly = { stdio: ['ignore', 'inherit', 'inherit'] };
    execFileSync(
      'javac',
      ['--release', JAVA_RELEASE, '-d', classes, '-cp', path, ...files],
      quietly,
    );
    const services = join(classes, 'META-INF', 'services');
    mkdirSync(services, { recursive: true });
    const service = join(services, 'org.apache.flink.table.factories.Factory');
    writeFileSync(service, `${FACTORIES.join('\n')}\n`);
    execFileSync('jar', ['--create', '--file', jar, '-C', classes, '.'], quietly);
  } finally {
    rmSync(classes, { recursive: true, force: true });
  }
}
