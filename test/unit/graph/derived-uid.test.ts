import { describe, expect, it } from 'vitest';
import type { Flow } from '../../../src/api/flow.js';
import { deriveUid } from '../../../src/graph/derived-uid.js';
import { identityOf } from '../../../src/graph/logical-graph.js';
import { graphOf, sink, source } from './graph-fixtures.js';

const uidsOf = (build: (flow: Flow) => void): string[] =>
  graphOf(build).nodes.map((node) => identityOf(node).uid);

describe('derived uids', () => {
  it('are readable and safe in file names', () => {
    const parts = { kind: 'from', name: 'CSV data/flights 2024*.csv', inputs: [] };
    expect(deriveUid(parts, new Set())).toMatch(/^csv-data-flights-2024-csv-[0-9a-f]{8}$/);
    expect(deriveUid({ ...parts, name: '***' }, new Set())).toMatch(/^operator-[0-9a-f]{8}$/);
  });

  it('are the same in every build and differ between siblings', () => {
    const build = (flow: Flow): void => {
      const flights = flow.from(source());
      flights.map((f) => f).to(sink());
      flights.map((f) => f).to(sink());
    };
    expect(uidsOf(build)).toEqual(uidsOf(build));
    expect(new Set(uidsOf(build)).size).toBe(5);
  });

  it('change below an inserted operator and not above it', () => {
    const short = uidsOf((flow) => {
      flow
        .from(source())
        .map((f) => f)
        .to(sink());
    });
    const long = uidsOf((flow) => {
      flow
        .from(source())
        .map((f) => f)
        .filter(() => true)
        .to(sink());
    });
    expect(long.slice(0, 2)).toEqual(short.slice(0, 2));
    expect(long).not.toContain(short[2]);
  });

  it('do not hang on what connectors call themselves, which may hold a path or a count', () => {
    const named = (name: string) =>
      uidsOf((flow) => {
        flow
          .from(source({ name }))
          .map((f) => f)
          .to(sink({ name }));
      });
    expect(named('csv 2024-01.csv')).toEqual(named('csv 2024-02.csv'));
  });

  it('hang on names and on how records are dealt', () => {
    const inputs = (partitioner: string) => [{ uid: 'a', partitioner }];
    const uids = [
      deriveUid({ kind: 'map', name: 'map', inputs: inputs('forward') }, new Set()),
      deriveUid({ kind: 'map', name: 'map', inputs: inputs('rebalance') }, new Set()),
      deriveUid({ kind: 'map', name: 'parse', inputs: inputs('forward') }, new Set()),
    ];
    expect(new Set(uids).size).toBe(3);
  });
});
