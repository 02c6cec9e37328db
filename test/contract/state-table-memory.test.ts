import { createHotTable } from '../../src/state/hot-table.js';
import { stateTableContract } from './state-table-contract.js';

stateTableContract('memory', (spec, keyGroups) =>
  createHotTable(spec, { keyGroups: { start: 0, end: keyGroups } }),
);
