import { createTieredTable } from '../../src/state/cold/tiered-table.js';
import { MemoryScratch } from './memory-scratch.js';
import { stateTableContract } from './state-table-contract.js';

stateTableContract(
  'lsm',
  (spec, keyGroups) =>
    createTieredTable(spec, {
      keyGroups: { start: 0, end: keyGroups },
      space: { disk: new MemoryScratch(), directory: '', budgetBytes: 1 << 16 },
    }),
  { divides: false },
);
