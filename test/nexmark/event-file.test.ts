import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectSink, job, run } from 'millrace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventFile } from '../../bench/nexmark/events/event-file.mjs';
import { eventSettings } from '../../bench/nexmark/events/event-settings.mjs';
import { channelNames, channelUrls } from '../../bench/nexmark/events/event-texts.mjs';
import { writeEvents } from '../../bench/nexmark/write-events.mjs';
import { Reference } from './event-reference.js';
import { readEvents } from './read-events.js';

const EVENTS = 2300;
let directory = '';
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nexmark-events-'));
  await writeEvents(join(directory, 'events.ndjson'), { events: EVENTS });
  await writeEvents(join(directory, 'events.parquet'), { events: EVENTS });
});
afterAll(() => rmSync(directory, { recursive: true }));

async function read(name: string, columns: readonly string[] | null, parallelism = 1) {
  const out = collectSink();
  const reading = job('read-events', (flow) => {
    const events = flow.from(eventFile(join(directory, name)));
    (columns === null ? events : events.project(...columns)).to(out);
  });
  await run(reading, { parallelism, runtime: 'in-thread' });
  return out.rows as readonly Record<string, unknown>[];
}

describe('files of events', () => {
  it('hold the events of the reference in order, as nested records with times in milliseconds', () => {
    const lines = readFileSync(join(directory, 'events.ndjson'), 'utf8').trimEnd().split('\n');
    const reference = new Reference(
      eventSettings({ events: EVENTS }),
      channelNames(),
      channelUrls(1),
    );
    expect(lines).toHaveLength(EVENTS);
    for (const number of [0, 1, 4, 50, 1003, 2299]) {
      expect(lines[number]).toBe(JSON.stringify(ordered(reference.event(number))));
    }
  });

  it('are what they always were', () => {
    const bytes = readFileSync(join(directory, 'events.ndjson'));
    const hash = createHash('sha256').update(bytes).digest('hex');
    expect(hash).toBe('6a0451488742ed655b64581f4b4b87ef42fbb322dec66a408cd1ee2c57eb3ada');
    const fifth = JSON.parse(bytes.toString().split('\n')[4]);
    expect(fifth.bid).toMatchObject({ auction: 1010, bidder: 2001, price: 49_359_045 });
  });

  it.each(['events.ndjson', 'events.parquet'])('%s gives the events back', async (name) => {
    const { events } = readEvents({ events: EVENTS });
    expect(await read(name, null)).toEqual(events);
    const names = ['kind', 'bid.price', 'person.name'];
    const wanted = events.map((event) =>
      Object.fromEntries(names.map((field) => [field, event[field]])),
    );
    expect(await read(name, names)).toEqual(wanted);
    expect(await read(name, ['dateTime'])).toEqual(events.map(({ dateTime }) => ({ dateTime })));
  });

  it('are refused where an event is not what its kind says', async () => {
    const path = join(directory, 'wrong.ndjson');
    const auction = { id: 1, itemName: '', description: '', initialBid: 1, reserve: 1 };
    const rest = { dateTime: 1, expires: 1, seller: 1, category: 1, extra: '' };
    for (const kind of ['bid', 'other']) {
      writeFileSync(path, `${JSON.stringify({ kind, auction: { ...auction, ...rest } })}\n`);
      await expect(read('wrong.ndjson', null)).rejects.toMatchObject({ code: 'BAD_RECORD' });
    }
  });
});

/** With the fields in the order of the original. */
function ordered({ kind, ...rest }: Record<string, unknown>) {
  const fields = rest[String(kind)] as Record<string, unknown>;
  const { dateTime, extra, expires, seller, category, ...before } = fields;
  const auction = expires === undefined ? {} : { expires, seller, category };
  return { kind, [String(kind)]: { ...before, dateTime, ...auction, extra } };
}
