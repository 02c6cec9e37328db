/**
 * Makes one file of the parts that a sink has written into a directory. Callers: `run.mjs`, `write-events.mjs`, tests.
 * Runs on: the caller's thread.
 */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * Moves the one part of a directory. A sink that got no records has written none.
 *
 * @param {string} directory
 * @param {string} path
 * @param {string} empty what a file without records holds
 */
export function moveOnlyPart(directory, path, empty) {
  const parts = partsBelow(directory);
  if (parts.length === 0) return writeFileSync(path, empty);
  if (parts.length !== 1) throw new Error(`${directory} holds ${parts.length} parts, not one.`);
  renameSync(parts[0], path);
}

/**
 * Copies the records of all parts of CSV, those of buckets too, into one file.
 *
 * @param {string} directory
 * @param {string} path
 * @param {string} header the line that every part begins with
 */
export function joinParts(directory, path, header) {
  const file = openSync(path, 'w');
  try {
    writeSync(file, header);
    for (const part of partsBelow(directory)) {
      const bytes = readFileSync(part);
      writeSync(file, bytes.subarray(bytes.indexOf('\n') + 1));
    }
  } finally {
    closeSync(file);
  }
}

function partsBelow(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith('part'))
    .map((entry) => join(entry.parentPath, entry.name));
}
