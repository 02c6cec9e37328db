import { describe, expect, it } from 'vitest';
import { commandContext } from '../../../src/cli/command-context.js';
import { styleFor, usesColor } from '../../../src/cli/style.js';

describe('colour', () => {
  it.each([
    ['a terminal', true, {}, true],
    ['a pipe', false, {}, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR, which counts as unset', true, { NO_COLOR: '' }, true],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ['FORCE_COLOR on a pipe', false, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR against NO_COLOR', false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    ['FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false],
  ])('%s', (_, isTTY, environment, expected) => {
    expect(usesColor({ isTTY, environment })).toBe(expected);
  });

  it('leaves nothing around an empty text', () => {
    const style = styleFor({ isTTY: true, environment: {} });
    expect(style.red('')).toBe('');
    expect(style.red('no')).toBe('\x1b[31mno\x1b[39m');
  });
});

describe('the live view', () => {
  const isLive = (isTTY: boolean, environment: Record<string, string>): boolean => {
    const stream = { isTTY, write: () => true };
    return commandContext({ stdout: stream, stderr: stream }, environment, false).isLive;
  };

  it('needs a terminal that somebody looks at', () => {
    expect(isLive(true, {})).toBe(true);
    expect(isLive(true, { NO_COLOR: '1' })).toBe(true);
    expect(isLive(true, { CI: 'true' })).toBe(false);
    expect(isLive(true, { CI: 'false' })).toBe(true);
    expect(isLive(true, { TERM: 'dumb' })).toBe(false);
    expect(isLive(false, {})).toBe(false);
  });
});
