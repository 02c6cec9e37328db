import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { nexmarkArguments } from '../../bench/nexmark/arguments.mjs';

const KNOWN = ['q0', 'q1', 'q10', 'q22'];
const parse = (...words: string[]) => nexmarkArguments(words, KNOWN);

describe('arguments of bench:nexmark', () => {
  it('have defaults', () => {
    const given = parse();
    expect(given).toMatchObject({
      queries: KNOWN,
      guarantee: 'none',
      stateBackend: 'memory',
      input: null,
      output: null,
      runs: 1,
    });
    expect(given.parallelism).toBe(os.availableParallelism());
    expect(given.events).toMatchObject({ events: 10_000_000, seed: 1, eventsPerSecond: 100_000 });
  });

  it('choose queries in order, once each, and the events', () => {
    const given = parse(
      '--queries',
      'q10, q0,q10',
      '--events=1_000',
      '--density',
      '0.5',
      '--out-of-order',
      '10',
    );
    expect(given.queries).toEqual(['q10', 'q0']);
    expect(given.events).toMatchObject({ events: 1000, eventsPerSecond: 0.5, outOfOrder: 10 });
  });

  it.each([
    [['--queries', 'q11'], 'OPTION_INVALID', /no query "q11"[^]*Did you mean "q10"/],
    [['--queries', 'Q5'], 'OPTION_INVALID', /no query "Q5"[^]*q0, q1, q10, q22/],
    [['--quaries', 'q1'], 'OPTION_UNKNOWN', /no option --quaries[^]*Did you mean "--queries"/],
    [['--events', 'many'], 'OPTION_INVALID', /--events cannot be "many"/],
    [['--events', '0'], 'OPTION_INVALID', /--events cannot be "0"/],
    [['--density', 'x'], 'OPTION_INVALID', /eventsPerSecond/],
    [['--parallelism', '1.5'], 'OPTION_INVALID', /--parallelism/],
    [['--guarantee', 'twice'], 'OPTION_INVALID', /none or exactly-once/],
    [['--state-backend', 'rocksdb'], 'OPTION_INVALID', /memory or lsm/],
    [['--input', '/no/such/file.ndjson'], 'FILE_NOT_FOUND', /no file/],
    [['--queries'], 'OPTION_INVALID', /queries/],
    [['q1'], 'OPTION_INVALID', /q1/],
  ])('%j is refused with %s', (words, code, message) => {
    let error: unknown = null;
    try {
      parse(...words);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code });
    const { message: said, advice } = error as { message: string; advice?: string };
    expect(`${said} ${advice ?? ''}`).toMatch(message);
  });
});
