/**
 * Times to live of value, list and map states against a model that keeps a stamp beside everything: both clocks, both
 * updates, both visibilities, event times out of order, and new instances that go on from snapshots.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListState, MapState, ValueState } from '../../src/state/state-handles.js';
import type { StateTtl } from '../../src/state/time-to-live.js';
import { openStore, WHOLE, written } from '../unit/state/state-fixtures.js';

const AFTER_MS = 40;

interface Used {
  readonly value: number;
  stampMs: number;
}

/** What one key has: its value and its map under their keys, and its list in order. */
class ModelKey {
  readonly entries = new Map<string, Used>();
  list: Used[] = [];

  get all(): readonly Used[] {
    return [...this.entries.values(), ...this.list];
  }

  /** Forgets what is over. */
  expire(nowMs: number): void {
    const isOver = ({ stampMs }: Used): boolean => stampMs + AFTER_MS <= nowMs;
    for (const [name, used] of this.entries) if (isOver(used)) this.entries.delete(name);
    this.list = this.list.filter((used) => !isOver(used));
  }

  put(name: string, value: number, stampMs: number): void {
    const before = this.entries.get(name);
    // A map keeps the order in which its keys came.
    const used = { value, stampMs: Math.max(stampMs, before?.stampMs ?? stampMs) };
    this.entries.set(name, used);
  }
}

/** Handles of one store. */
interface Handles {
  readonly value: ValueState<number>;
  readonly list: ListState<number>;
  readonly map: MapState<string, number>;
}

const step = fc.record({
  does: fc.constantFrom('put', 'put', 'add', 'read', 'read', 'wait', 'wait', 'restart', 'clear'),
  what: fc.constantFrom('value', 'list', 'map'),
  key: fc.nat(1),
  mapKey: fc.nat(2),
  /** How far the clock goes on. */
  ms: fc.nat(25),
  /** How much later than the clock the time of a use is. */
  laterMs: fc.integer({ min: -30, max: 30 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const ttls: fc.Arbitrary<Required<StateTtl>> = fc.record({
  after: fc.constant(AFTER_MS),
  update: fc.constantFrom('onCreateAndWrite', 'onReadAndWrite'),
  visibility: fc.constantFrom('neverReturnExpired', 'returnExpiredIfNotCleanedUp'),
  clock: fc.constantFrom('processing', 'event'),
});

class World {
  readonly #ttl: Required<StateTtl>;
  readonly #model = [new ModelKey(), new ModelKey()];
  #nowMs = 0;
  #useMs = 0;
  #opened = openStore([{ kind: 'number' }], () => this.#useMs);
  #handles: Handles;

  constructor(ttl: Required<StateTtl>) {
    this.#ttl = ttl;
    this.#handles = this.#open();
    this.#fill();
    this.#tick();
  }

  /** Others that never go, so that cleaning up takes several ticks. */
  #fill(): void {
    const { key, store } = this.#opened;
    const { value, list, map } = this.#handles;
    this.#useMs = 1e6;
    store.advanceTo(1e6, 1e6);
    for (let other = 100; other < 300; other++) {
      key.set([other]);
      value.update(other);
      list.add(other);
      map.put('k', other);
    }
  }

  #open(): Handles {
    const [{ store }, ttl, type] = [this.#opened, this.#ttl, { kind: 'number' as const }];
    return {
      value: store.value({ name: 'v', type, ttl }),
      list: store.list({ name: 'l', type, ttl }),
      map: store.map({ name: 'm', type, ttl }),
    };
  }

  /** The other clock stands far in the future: it must not matter. */
  #tick(): void {
    const isEvent = this.#ttl.clock === 'event';
    this.#opened.store.advanceTo(isEvent ? 1e9 : this.#nowMs, isEvent ? this.#nowMs : 1e9);
    for (const model of this.#model) model.expire(this.#nowMs);
  }

  take({ does, what, key, mapKey, ms, laterMs }: Step, counter: number): void {
    const model = this.#model[key];
    const { value, list, map } = this.#handles;
    // By event time a record may be older than what was used before it, by the wall clock nothing is.
    this.#useMs = this.#ttl.clock === 'event' ? this.#nowMs + laterMs : this.#nowMs;
    this.#opened.key.set([key]);
    switch (does) {
      case 'wait':
        this.#nowMs += ms;
        return this.#tick();
      case 'restart': {
        const pieces = written(this.#opened.store.beginSnapshot(WHOLE));
        this.#opened = openStore([{ kind: 'number' }], () => this.#useMs);
        this.#tick();
        this.#opened.store.restore(pieces);
        this.#handles = this.#open();
        return;
      }
      case 'put':
        if (what === 'value') value.update(counter);
        else if (what === 'map') map.put(`k${mapKey}`, counter);
        else return;
        model.put(what === 'value' ? 'value' : `k${mapKey}`, counter, this.#useMs);
        break;
      case 'add':
        list.add(counter);
        model.list.push({ value: counter, stampMs: this.#useMs });
        break;
      case 'clear':
        if (what === 'value') value.clear();
        else if (what === 'map') map.remove(`k${mapKey}`);
        else list.clear();
        if (what === 'list') model.list = [];
        else model.entries.delete(what === 'value' ? 'value' : `k${mapKey}`);
        break;
      default:
        this.#read(model, what, mapKey);
    }
    model.expire(this.#nowMs);
  }

  /** One value, the list, or, where another one is asked for, all that the map lists. */
  #read(model: ModelKey, what: Step['what'], mapKey: number): void {
    const { value, list, map } = this.#handles;
    const isKey = (name: string): boolean =>
      what === 'value'
        ? name === 'value'
        : name !== 'value' && (mapKey > 1 || name === `k${mapKey}`);
    const living =
      what === 'list'
        ? model.list
        : [...model.entries].filter(([name]) => isKey(name)).map(([, used]) => used);
    const shown = {
      value: () => [value.value()],
      list: () => [...list.get()],
      map: () => (mapKey > 1 ? [...map.values()] : [map.get(`k${mapKey}`)]),
    }
      [what]()
      .filter((one) => one !== undefined);
    const values = living.map((used) => used.value);
    if (this.#ttl.visibility === 'neverReturnExpired')
      expect(shown.toSorted()).toEqual(values.toSorted());
    else expect(shown).toEqual(expect.arrayContaining(values));
    if (this.#ttl.update === 'onCreateAndWrite') return;
    for (const used of living) used.stampMs = Math.max(used.stampMs, this.#useMs);
  }

  /** All that lives is there; and, once everything has been looked at, nothing else. */
  check(): void {
    for (let round = 0; round < 10; round++) this.#tick();
    this.#model.forEach((model, key) => {
      this.#opened.key.set([key]);
      const { value, list, map } = this.#handles;
      this.#useMs = this.#nowMs - 1000;
      const inMap = [...model.entries].filter(([name]) => name !== 'value');
      expect(new Map(map.entries())).toEqual(
        new Map(inMap.map(([name, used]) => [name, used.value])),
      );
      expect([...list.get()]).toEqual(model.list.map((used) => used.value));
      expect(value.value()).toBe(model.entries.get('value')?.value);
    });
  }
}

describe('times to live', () => {
  it('agree with stamps beside all that is kept', () => {
    fc.assert(
      fc.property(ttls, fc.array(step, { minLength: 10, maxLength: 200 }), (ttl, steps) => {
        // What is past its time can be used again where it can be seen, which depends on when it is cleaned up.
        fc.pre(
          !(ttl.visibility === 'returnExpiredIfNotCleanedUp' && ttl.update === 'onReadAndWrite'),
        );
        const world = new World(ttl);
        steps.forEach((one, counter) => world.take(one, counter));
        world.check();
      }),
      { numRuns: 250 },
    );
  });
});
