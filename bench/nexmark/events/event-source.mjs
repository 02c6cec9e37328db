/**
 * Nexmark's events as a source of Millrace. Each subtask has one split, and blocks are dealt to the splits in turn, so
 * that event time advances alike in all of them. Callers: the jobs of Nexmark. Runs on: planning on the caller's
 * thread, reading in the slots. Invariant: the events are the same at every parallelism.
 */
import { MillraceError } from 'millrace';
import { FLAT_SCHEMA, NESTED_SCHEMA } from './event-fields.mjs';
import { EventReader } from './event-reader.mjs';
import { BLOCK, eventSettings } from './event-settings.mjs';

/**
 * @param {{ events: number } & Partial<import('./event-settings.mjs').EventSettings>} options
 * @param {object} [how]
 * @param {'flat' | 'nested'} [how.form] of the records, see `event-fields.mjs`; flat by default
 * @param {number | null} [how.emitPerSecond] events per second of real time, of all subtasks together; as fast as
 *   possible by default
 * @returns {import('millrace').SourceConnector}
 */
export function eventSource(options, { form = 'flat', emitPerSecond = null } = {}) {
  const settings = eventSettings(options);
  if (emitPerSecond !== null && !(emitPerSecond > 0)) {
    throw new MillraceError('OPTION_INVALID', `Nexmark events: no rate of ${emitPerSecond}.`, {
      advice: 'Give a number of events per second above 0.',
    });
  }
  return {
    kind: 'source',
    type: 'nexmark',
    name: `${settings.events} Nexmark events`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    rows: settings.events,
    projects: true,
    plan: ({ parallelism }) => ({
      schema: form === 'flat' ? FLAT_SCHEMA : NESTED_SCHEMA,
      splits: splitsOf(settings.events, parallelism),
      bytes: null,
      rows: settings.events,
      data: null,
    }),
    open: (context) => new EventReader({ form, settings, emitPerSecond, context }),
  };
}

function splitsOf(events, parallelism) {
  const blocks = Math.ceil(events / BLOCK);
  const every = Math.min(Math.max(1, blocks), parallelism);
  return Array.from({ length: every }, (_, first) => ({
    id: `${first}/${every}`,
    bytes: null,
    rows: rowsOf(events, first, every),
    data: { first, every },
  }));
}

function rowsOf(events, first, every) {
  const whole = Math.floor(events / BLOCK);
  const mine = Math.max(0, Math.ceil((whole - first) / every));
  return mine * BLOCK + (whole % every === first ? events % BLOCK : 0);
}
