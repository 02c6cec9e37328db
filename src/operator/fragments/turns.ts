/**
 * Code of loops within a row that give several rows, which are counted among what a call may do. Callers: fragments of
 * explode and of joins. Runs on: worker, when a chain is compiled; pure.
 */
import type { ChainCode } from '../chain-code.js';

/** Code that is true as long as a loop may take one more item. */
export function turnCode(code: ChainCode): string {
  const run = code.unit.constant(code.run, 'run');
  const most = code.unit.hoist(`${run}.itemsLeft`, 'itemsMax');
  return `stop === 0 && ${itemsCode(code)} < ${most}`;
}

/** The local that counts items. */
export function itemsCode({ unit, run }: ChainCode): string {
  return unit.tally(`${unit.constant(run, 'run')}.itemsLeft`, 'items');
}
