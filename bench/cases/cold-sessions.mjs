/** Sessions with more state than memory, exactly once. */
import { coldWindows } from '../lib/cold-windows.mjs';

export const benchCase = coldWindows({
  name: 'cold-sessions',
  title:
    'sums by ten million keys at random in sessions, two million of which are open at a time, exactly once every 10 s',
  windows: 'session',
});
