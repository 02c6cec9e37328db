/**
 * Colours of the command line: few, and none where nobody would see them. Callers: views, reports, help. Runs on: the
 * main thread; pure. Invariant: a styled text is as wide as the plain one, so layout is done before styling.
 */

/** Wraps a text in an escape sequence, or leaves it as it is. */
export type Paint = (text: string) => string;

/** The paints of one stream. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

/** What decides about colour. */
export interface ColorContext {
  readonly isTTY: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const plain: Paint = (text) => text;
const sgr =
  (on: number, off: number): Paint =>
  (text) =>
    text === '' ? text : `\x1b[${on}m${text}\x1b[${off}m`;

/** No colour at all. */
export const PLAIN_STYLE: Style = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  cyan: plain,
};

/** Colour, whatever the stream. */
export const PAINTED_STYLE: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
};

/** The style that fits a stream. */
export function styleFor(context: ColorContext): Style {
  return usesColor(context) ? PAINTED_STYLE : PLAIN_STYLE;
}

/**
 * Whether to use colour: `FORCE_COLOR` decides when it is set ("0" and "false" say no), then a `NO_COLOR` that is not
 * empty says no, then it takes a terminal that is not dumb.
 */
export function usesColor({ isTTY, environment }: ColorContext): boolean {
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  return isTTY && environment['TERM'] !== 'dumb';
}
