import { describe, expect, it } from 'vitest';
import { CodeBlock } from '../../../src/operator/code-block.js';

describe('locals of generated code', () => {
  it('are found behind their declaration, in blocks inside too, and nowhere else', () => {
    const body = new CodeBlock();
    const earlier = body.place();
    const before = body.open('if (a)');
    expect(body.localOf('k')).toBeNull();
    body.local('k', 'k1', '1');
    const after = body.open('if (b)');
    after.local('inner', 'i1', '2');
    expect([body, after, after.place()].map((block) => block.localOf('k'))).toEqual([
      'k1',
      'k1',
      'k1',
    ]);
    // What is written into a place comes before what stands behind the place.
    expect([earlier, before, earlier.open('if (c)')].map((block) => block.localOf('k'))).toEqual([
      null,
      null,
      null,
    ]);
    expect([after, after.indented(), body].map((block) => block.localOf('inner'))).toEqual([
      'i1',
      'i1',
      null,
    ]);
    expect(body.print()).toContain('const k1 = 1;');
  });
});
