/** Sliding windows with more state than memory, exactly once. */
import { coldWindows } from '../lib/cold-windows.mjs';

export const benchCase = coldWindows({
  name: 'cold-sliding',
  title:
    'sums by ten million keys at random in sliding windows that hold two million records each, exactly once every 10 s',
  windows: 'sliding',
});
