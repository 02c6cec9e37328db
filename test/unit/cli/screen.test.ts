import { describe, expect, it } from 'vitest';
import { Screen, type ScreenLine } from '../../../src/cli/screen.js';
import { FakeTerminal } from './fake-terminal.js';

const line = (text: string): ScreenLine => ({ text, width: text.length });
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class FakeProcess {
  readonly listeners = new Map<string, () => void>();
  suspended = 0;
  on(event: string, listener: () => void): void {
    this.listeners.set(event, listener);
  }
  off(event: string, listener: () => void): void {
    if (this.listeners.get(event) === listener) this.listeners.delete(event);
  }
  suspend(): void {
    this.suspended++;
  }
}

function openScreen() {
  const terminal = new FakeTerminal(40, 12);
  const output = { write: (text: string | Uint8Array) => terminal.write(String(text)) };
  const errors = {
    columns: 40,
    rows: 12,
    write: (text: string | Uint8Array) => terminal.write(String(text)),
  };
  const process = new FakeProcess();
  const screen = new Screen(errors, [output], process);
  return { terminal, output, errors, process, screen };
}

describe('a block on the terminal', () => {
  it('is redrawn in place, also with fewer lines', () => {
    const { terminal, screen } = openScreen();
    terminal.write('$ run\n');
    screen.draw([line('one'), line('two'), line('three')]);
    screen.draw([line('ONE'), line('TWO')]);
    expect(terminal.lines()).toEqual(['$ run', 'ONE', 'TWO']);
    expect(terminal.isCursorVisible).toBe(false);
    screen.close(['done']);
    expect(terminal.lines()).toEqual(['$ run', 'done']);
    expect(terminal.isCursorVisible).toBe(true);
  });

  it('lets others write above it, whole lines only', async () => {
    const { terminal, screen, output, errors } = openScreen();
    screen.draw([line('view')]);
    output.write('│ row 1 │\n│ row');
    errors.write('warning\n');
    await nextTurn();
    expect(terminal.lines()).toEqual(['│ row 1 │', 'warning', 'view']);
    output.write(' 2 │\n');
    await nextTurn();
    expect(terminal.lines()).toEqual(['│ row 1 │', 'warning', '│ row 2 │', 'view']);
  });

  it('redraws once for many writes', async () => {
    const { terminal, screen, output } = openScreen();
    screen.draw([line('view')]);
    const before = terminal.written;
    for (let row = 0; row < 50; row++) output.write(`${row}\n`);
    expect(terminal.written - before).toBe(51);
    await nextTurn();
    expect(terminal.written - before).toBe(52);
    expect(terminal.lines().slice(-2)).toEqual(['49', 'view']);
  });

  it('keeps its place when the terminal becomes narrower and wraps what it showed', () => {
    const { terminal, errors, screen } = openScreen();
    terminal.write('before\n');
    screen.draw([line('x'.repeat(39)), line('short')]);
    terminal.resize(20);
    errors.columns = 20;
    screen.draw([line('narrow')]);
    expect(terminal.lines()).toEqual(['before', 'narrow']);
  });

  it('ends begun lines before what stays, and leaves the streams as they were', () => {
    const { terminal, screen, output } = openScreen();
    const own = Object.getOwnPropertyDescriptor(output, 'write');
    screen.draw([line('view')]);
    output.write('no newline');
    screen.close(['summary']);
    expect(terminal.lines()).toEqual(['no newline', 'summary']);
    output.write('later\n');
    expect(terminal.lines().at(-1)).toBe('later');
    expect(own?.value).toBeDefined();
    screen.draw([line('too late')]);
    screen.close(['twice']);
    expect(terminal.lines().at(-1)).toBe('later');
  });
});

describe('the cursor', () => {
  it('comes back when the process ends', () => {
    const { terminal, screen, process } = openScreen();
    screen.draw([line('view')]);
    process.listeners.get('exit')?.();
    expect(terminal.isCursorVisible).toBe(true);
  });

  it('comes back while the process is suspended', () => {
    const { terminal, screen, process } = openScreen();
    screen.draw([line('view')]);
    process.listeners.get('SIGTSTP')?.();
    expect(terminal.isCursorVisible).toBe(true);
    expect(terminal.lines()).toEqual([]);
    expect(process.suspended).toBe(1);
    process.listeners.get('SIGCONT')?.();
    expect(terminal.lines()).toEqual(['view']);
    expect(terminal.isCursorVisible).toBe(false);
    screen.close([]);
    expect(process.listeners.size).toBe(0);
  });
});
