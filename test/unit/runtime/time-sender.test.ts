import { describe, expect, it } from 'vitest';
import { FRAME_ACTIVE, FRAME_IDLE, FRAME_WATERMARK } from '../../../src/ring/contract.js';
import {
  type ControlPort,
  TimeSender,
  watermarkOf,
  watermarkPayload,
} from '../../../src/runtime/time-sender.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../../src/time/watermark.js';

/** A port that writes down what it takes, and refuses when it is told to. */
class ScriptedPort implements ControlPort {
  readonly sent: (string | number)[] = [];
  refusals = 0;
  counted: readonly [number | null, boolean] = [null, false];

  countTime(watermarkMs: number | null, isIdle: boolean): void {
    this.counted = [watermarkMs, isIdle];
  }

  sendControl(kind: number, payload?: Uint8Array): boolean {
    if (this.refusals > 0) {
      this.refusals--;
      return false;
    }
    if (kind === FRAME_WATERMARK && payload !== undefined) this.sent.push(watermarkOf(payload));
    if (kind === FRAME_IDLE) this.sent.push('idle');
    if (kind === FRAME_ACTIVE) this.sent.push('active');
    return true;
  }
}

describe('TimeSender', () => {
  it('sends what has changed, the watermark before idleness and after its end', () => {
    const port = new ScriptedPort();
    const sender = new TimeSender(port);
    expect(sender.send(WATERMARK_MIN, false)).toBe(true);
    expect(port.sent).toEqual([]);
    sender.send(10, true);
    sender.send(10, true);
    sender.send(12, false);
    sender.send(11, false);
    expect(port.sent).toEqual([10, 'idle', 'active', 12]);
    expect(port.counted).toEqual([12, false]);
  });

  it('goes on where the port had no room', () => {
    const port = new ScriptedPort();
    const sender = new TimeSender(port);
    const say = (watermarkMs: number, isIdle: boolean): number => {
      let tries = 1;
      for (; !sender.send(watermarkMs, isIdle); tries++) port.refusals = tries < 2 ? 1 : 0;
      return tries;
    };
    port.refusals = 1;
    expect(say(5, true)).toBe(3);
    port.refusals = 1;
    expect(say(6, false)).toBe(3);
    expect(port.sent).toEqual([5, 'idle', 'active', 6]);
  });

  it('writes watermarks that read as they were, at any offset', () => {
    for (const ms of [WATERMARK_MIN, -1, 0, 1.7e12, WATERMARK_MAX]) {
      const memory = new Uint8Array(24);
      memory.set(watermarkPayload(ms), 3);
      expect(watermarkOf(memory.subarray(3))).toBe(ms);
    }
  });
});
