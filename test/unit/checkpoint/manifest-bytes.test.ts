import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckpointManifest } from '../../../src/checkpoint/contract.js';
import { decodeManifest, encodeManifest } from '../../../src/checkpoint/manifest-bytes.js';

const count = fc.nat({ max: 2 ** 53 - 1 });
const int32 = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const text = fc.string({ unit: 'grapheme' });
/** What structured clone carries, with numbers that JSON would lose. */
const value = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: false,
});

const files = fc.uniqueArray(
  fc.record({
    path: fc
      .tuple(fc.constantFrom('chk-7', 'shared'), int32)
      .map(([at, n]) => `${at}/state-${n}-0-1`),
    bytes: count,
  }),
  { selector: ({ path }) => path, minLength: 1, maxLength: 5 },
);

const manifests: fc.Arbitrary<CheckpointManifest> = files.chain((known) => {
  const piece = fc.record({
    uid: text,
    name: text,
    keyGroup: fc.integer({ min: -1, max: 32_767 }),
    isChanges: fc.boolean(),
    subtask: int32,
    at: fc.oneof(
      fc.record({ bytes: fc.uint8Array() }),
      fc.record({
        file: fc.constantFrom(...known.map(({ path }) => path)),
        offset: count,
        length: count,
        checksum: fc.nat({ max: 2 ** 32 - 1 }),
      }),
    ),
  });
  const splits = fc.array(fc.record({ split: fc.string(), position: value }), { maxLength: 3 });
  return fc.record({
    id: count,
    kind: fc.constantFrom('checkpoint' as const, 'savepoint' as const),
    timestampMs: count,
    jobId: text,
    jobName: text,
    attempt: count,
    params: value,
    operators: fc.array(
      fc.record({
        uid: text,
        name: text,
        parallelism: int32,
        maxParallelism: int32,
        isFinished: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
    sources: fc.array(
      fc.record({
        uid: text,
        plan: value,
        progress: fc.array(fc.record({ inHand: splits, finished: fc.array(fc.string()) }), {
          maxLength: 3,
        }),
      }),
      { maxLength: 2 },
    ),
    sinks: fc.array(
      fc.record({ uid: text, plan: value, committables: fc.array(value, { maxLength: 3 }) }),
      { maxLength: 2 },
    ),
    pieces: fc.array(piece, { maxLength: 12 }),
    files: fc.constant(known),
  });
});

const FILE = '/job/chk-7/_metadata';
const again = (manifest: CheckpointManifest): CheckpointManifest =>
  decodeManifest(encodeManifest(manifest, 'chk-7'), FILE, 'chk-7');

describe('the bytes of a manifest', () => {
  it('are the manifest again', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        expect(again(manifest)).toEqual(manifest);
      }),
    );
  });

  it('name files relative to where the metadata is', () => {
    const [manifest] = fc.sample(manifests, { numRuns: 1, seed: 3 });
    if (manifest === undefined) throw new Error('a sample');
    const moved = decodeManifest(encodeManifest(manifest, 'chk-7'), FILE, 'my backup');
    expect(moved.files.map(({ path }) => path)).toEqual(
      manifest.files.map(({ path }) => path.replace('chk-7/', 'my backup/')),
    );
  });

  it('hold a hundred thousand pieces', () => {
    const [sample] = fc.sample(manifests, { numRuns: 1, seed: 3 });
    if (sample === undefined) throw new Error('a sample');
    const pieces = Array.from({ length: 100_000 }, (_, index) => ({
      uid: `operator-${index % 7}`,
      name: 'totals',
      keyGroup: index % 128,
      isChanges: index % 2 === 1,
      subtask: index % 3,
      at: { file: 'shared/x', offset: index * 1000, length: 1000, checksum: 2 ** 32 - 1 - index },
    }));
    const manifest = { ...sample, pieces, files: [{ path: 'shared/x', bytes: 10 ** 8 }] };
    const bytes = encodeManifest(manifest, 'chk-7');
    expect(bytes.length / pieces.length).toBeLessThan(50);
    expect(decodeManifest(bytes, FILE, 'chk-7').pieces).toEqual(pieces);
  });

  it('lead to no file outside', () => {
    const [sample] = fc.sample(manifests, { numRuns: 1, seed: 3 });
    if (sample === undefined) throw new Error('a sample');
    for (const path of ['../elsewhere/state-1-0-1', '../../etc/state-1-0-1']) {
      const bytes = encodeManifest({ ...sample, pieces: [], files: [{ path, bytes: 1 }] }, 'chk-7');
      expect(() => decodeManifest(bytes, FILE, 'chk-7')).toThrow(
        expect.objectContaining({
          code: 'CHECKPOINT_CORRUPT',
          message: expect.stringContaining('leads out of its directory'),
        }),
      );
    }
  });

  it('refuse what UTF-8 and structured clone cannot hold', () => {
    const [sample] = fc.sample(manifests, { numRuns: 1, seed: 3 });
    if (sample === undefined) throw new Error('a sample');
    for (const manifest of [
      { ...sample, jobName: 'half \ud800' },
      { ...sample, params: { call: () => 1 } },
    ]) {
      expect(() => again(manifest)).toThrow(expect.objectContaining({ code: 'VALUE_UNSUPPORTED' }));
    }
  });
});
