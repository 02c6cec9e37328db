/**
 * A series as a small line. Callers: the list of jobs. Runs on: the page's thread.
 */

/** The points of the line in a box; the newest value is at its right end. */
export function sparkPoints(
  values: readonly number[],
  width: number,
  height: number,
  slots: number,
): string {
  const shown = values.slice(-slots);
  const most = Math.max(1e-9, ...shown);
  const step = width / Math.max(1, slots - 1);
  return shown
    .map((value, index) => {
      const x = width - (shown.length - 1 - index) * step;
      const y = height - 1 - (value / most) * (height - 2);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}

/** Seconds that a line in a table shows. */
const SPARK_SECONDS = 60;
const WIDTH = 96;
const HEIGHT = 22;

export function Sparkline({
  values,
  label,
}: {
  readonly values: readonly number[];
  label: string;
}) {
  const points = sparkPoints(values, WIDTH, HEIGHT, SPARK_SECONDS);
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <title>{label}</title>
      {values.length > 1 && <polyline points={points} />}
    </svg>
  );
}
