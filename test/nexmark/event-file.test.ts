import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Col, col, collectSink, job, run } from 'millrace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventFile } from '../../bench/nexmark/events/event-file.mjs';
import { eventSettings } from '../../bench/nexmark/events/event-settings.mjs';
import { channelNames, channelUrls } from '../../bench/nexmark/events/event-texts.mjs';
import { writeEvents } from '../../bench/nexmark/write-events.mjs';
import { Reference } from './event-reference.js';

const EVENTS = 2300;
let directory = '';
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nexmark-events-'));
  await writeEvents(join(directory, 'events.ndjson'), { events: EVENTS });
  await writeEvents(join(directory, 'events.parquet'), { events: EVENTS });
});
afterAll(() => rmSync(directory, { recursive: true }));

async function read(name: string, fields: Readonly<Record<string, Col>> | null) {
  const out = collectSink();
  const reading = job('read-events', (flow) => {
    const events = flow.from(eventFile(join(directory, name)));
    (fields === null ? events : events.select(fields)).to(out);
  });
  await run(reading, { parallelism: 1, runtime: 'in-thread' });
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
    const lines = readFileSync(join(directory, 'events.ndjson'), 'utf8').trimEnd().split('\n');
    const events = lines.map((line) => JSON.parse(line));
    const isParquet = name.endsWith('.parquet');
    // Parquet knows no missing fields.
    const absent = isParquet ? { person: null, auction: null, bid: null } : {};
    expect(await read(name, null)).toEqual(events.map((event) => ({ ...absent, ...event })));
    const fields = {
      kind: col('kind'),
      price: col('bid').get('price'),
      name: col('person').get('name'),
    };
    expect(await read(name, fields)).toEqual(
      events.map(({ kind, bid, person }) => ({
        kind,
        price: bid?.price ?? null,
        name: person?.name ?? null,
      })),
    );
  });
});

/** With the fields in the order of the original. */
function ordered({ kind, ...rest }: Record<string, unknown>) {
  const fields = rest[String(kind)] as Record<string, unknown>;
  const { dateTime, extra, expires, seller, category, ...before } = fields;
  const auction = expires === undefined ? {} : { expires, seller, category };
  return { kind, [String(kind)]: { ...before, dateTime, ...auction, extra } };
}
