import { describe, expect, it } from 'vitest';
import {
  COMMAND_CANCEL,
  COMMAND_DRAIN,
  COMMAND_STOP,
  ControlMemory,
  controlBytes,
} from '../../../src/runtime/control-layout.js';

const VERTICES = 5;
const SLOTS = 4;

/** Every word of a control memory, by the name of who uses it. */
function wordsOf(memory: SharedArrayBuffer): ReadonlyMap<string, Int32Array> {
  const control = new ControlMemory(memory, VERTICES);
  const words = new Map<string, Int32Array>();
  for (let vertex = 0; vertex < VERTICES; vertex++) {
    words.set(`split ${vertex}`, control.nextSplit(vertex));
  }
  for (let slot = 0; slot < SLOTS; slot++) {
    words.set(`parker ${slot}`, control.parkerWord(slot));
    words.set(`command ${slot}`, control.commandWord(slot));
  }
  return words;
}

describe('control layout', () => {
  it('keeps all words within its bytes and two cache lines apart', () => {
    const memory = new SharedArrayBuffer(controlBytes(VERTICES, SLOTS));
    const offsets = [...wordsOf(memory).values()].map((word) => word.byteOffset);
    const sorted = offsets.toSorted((a, b) => a - b);
    for (let index = 1; index < sorted.length; index++) {
      expect((sorted[index] ?? 0) - (sorted[index - 1] ?? 0)).toBeGreaterThanOrEqual(128);
    }
    expect(Math.max(...sorted) + 128).toBeLessThanOrEqual(memory.byteLength);
  });

  it('shows every thread the same words', () => {
    const memory = new SharedArrayBuffer(controlBytes(VERTICES, SLOTS));
    let value = 1;
    for (const word of wordsOf(memory).values()) Atomics.store(word, 0, value++);
    value = 1;
    for (const word of wordsOf(memory).values()) expect(Atomics.load(word, 0)).toBe(value++);
  });

  it('never takes a cancellation back', () => {
    const memory = new SharedArrayBuffer(controlBytes(VERTICES, SLOTS));
    const control = new ControlMemory(memory, VERTICES);
    control.command(1, COMMAND_STOP);
    control.command(1, COMMAND_DRAIN);
    expect(Atomics.load(control.commandWord(1), 0)).toBe(COMMAND_DRAIN);
    control.command(1, COMMAND_CANCEL);
    control.command(1, COMMAND_STOP);
    expect(Atomics.load(control.commandWord(1), 0)).toBe(COMMAND_CANCEL);
    expect(Atomics.load(control.commandWord(0), 0)).toBe(0);
  });
});
