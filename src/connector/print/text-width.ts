/**
 * How wide a text is on a terminal, and cutting it to a width. Callers: `table.ts`. Runs on: the
 * caller's thread; pure. Widths follow the East Asian Width property in coarse ranges: wide scripts
 * and emoji take two cells, combining marks none.
 */

/**
 * Marks that sit on the character before them, zero-width joiners and spaces, variation selectors.
 */
const COMBINING = /^(?:\p{Mn}|\p{Me}|\p{Cf}|\u200b)$/u;
const ELLIPSIS = '…';
/** Made when a text needs it: most have ASCII only, and loading its tables takes longer than starting a thread. */
let segmenter: Intl.Segmenter | null = null;

/** Cells a text takes. */
export function textWidth(text: string): number {
  if (isPrintableAscii(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += graphemeWidth(segment);
  return width;
}

/** The text cut to at most `width` cells, with an ellipsis where something was cut off. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemesOf(text)) {
    const cells = graphemeWidth(segment);
    if (used + cells > width - 1) break;
    kept += segment;
    used += cells;
  }
  return width < 1 ? '' : kept + ELLIPSIS;
}

/** Control characters spelled out, so that a value cannot move the cursor or break the table. */
export function visibleText(text: string): string {
  return isPrintableAscii(text) ? text : text.replace(/\p{Cc}/gu, escapeControl);
}

function escapeControl(control: string): string {
  if (control === '\n') return '\\n';
  if (control === '\r') return '\\r';
  if (control === '\t') return '\\t';
  return `\\x${(control.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`;
}

function isPrintableAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** Grapheme by grapheme, so that a flag or a letter with its accents is not torn apart. */
function graphemesOf(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

function graphemeWidth(grapheme: string): number {
  const point = grapheme.codePointAt(0) ?? 0;
  if (COMBINING.test(String.fromCodePoint(point))) return 0;
  return isWide(point) || grapheme.includes('\ufe0f') ? 2 : 1;
}

function isWide(point: number): boolean {
  return (
    (point >= 0x1100 && point <= 0x115f) ||
    (point >= 0x2e80 && point <= 0xa4cf && point !== 0x303f) ||
    (point >= 0xac00 && point <= 0xd7a3) ||
    (point >= 0xf900 && point <= 0xfaff) ||
    (point >= 0xfe30 && point <= 0xfe6f) ||
    (point >= 0xff00 && point <= 0xff60) ||
    (point >= 0xffe0 && point <= 0xffe6) ||
    (point >= 0x1f1e6 && point <= 0x1f1ff) ||
    (point >= 0x1f300 && point <= 0x1faff) ||
    (point >= 0x20000 && point <= 0x3fffd)
  );
}
