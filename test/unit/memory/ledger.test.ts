import { describe, expect, it } from 'vitest';
import {
  Ledger,
  type LedgerOwner,
  ledgerLines,
  ledgerTotals,
  mergeLedgerRows,
} from '../../../src/memory/ledger.js';

function owner(purpose: string, subtask: number | null = 0): LedgerOwner {
  return { job: 'j', operator: subtask === null ? null : 'sum', subtask, purpose };
}

describe('Ledger', () => {
  it('follows an allocation from add to release', () => {
    const ledger = new Ledger();
    const entry = ledger.add(owner('state'), 100, 10);
    ledger.touch(entry, 60);
    expect(ledger.totals()).toEqual({ reservedBytes: 100, touchedBytes: 60 });
    ledger.resize(entry, 40);
    expect(ledger.totals()).toEqual({ reservedBytes: 40, touchedBytes: 40 });
    ledger.release(entry);
    expect(ledger.totals()).toEqual({ reservedBytes: 0, touchedBytes: 0 });
    expect(ledger.rows()).toEqual([]);
  });

  it('has one row per owner, largest first, that add up to the totals', () => {
    const ledger = new Ledger();
    ledger.add(owner('ring'), 10);
    ledger.add(owner('ring'), 20, 5);
    ledger.add(owner('state'), 100);
    ledger.add(owner('state', 1), 50);
    const rows = ledger.rows();
    expect(
      rows.map((row) => [row.purpose, row.subtask, row.reservedBytes, row.allocations]),
    ).toEqual([
      ['state', 0, 100, 1],
      ['state', 1, 50, 1],
      ['ring', 0, 30, 2],
    ]);
    expect(ledgerTotals(rows)).toEqual(ledger.totals());
  });

  it('is merged with the ledgers of other threads as plain data', () => {
    const here = new Ledger();
    const there = new Ledger();
    here.add(owner('ring'), 10, 10);
    there.add(owner('ring'), 5);
    there.add(owner('registry', null), 1);
    const merged = mergeLedgerRows(here.rows(), structuredClone(there.rows()));
    expect(merged).toEqual([
      { ...owner('ring'), reservedBytes: 15, touchedBytes: 10, allocations: 2 },
      { ...owner('registry', null), reservedBytes: 1, touchedBytes: 0, allocations: 1 },
    ]);
  });

  it('prints for people', () => {
    const ledger = new Ledger();
    ledger.add(owner('ring', 2), 2048, 1024);
    ledger.add(owner('control', null), 512);
    expect(ledgerLines(ledger.rows())).toEqual([
      'sum[2] ring: 2.00 KB reserved, 1.00 KB touched',
      'j control: 512 B reserved, 0 B touched',
      'total: 2.50 KB reserved, 1.00 KB touched',
    ]);
  });

  it('refuses entries that are gone and touching more than is reserved', () => {
    const ledger = new Ledger();
    const entry = ledger.add(owner('ring'), 10);
    expect(() => ledger.touch(entry, 11)).toThrow('touches at most');
    ledger.release(entry);
    expect(() => ledger.release(entry)).toThrow('between add and release');
    expect(() => ledger.add(owner('ring'), 1, 2)).toThrow('touches at most');
  });
});
