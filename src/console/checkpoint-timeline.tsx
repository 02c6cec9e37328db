/**
 * Checkpoints on a line of time: as wide as they took, as high as what they wrote. Callers: the tab of checkpoints.
 * Runs on: the page's thread.
 */
import type { Checkpoint } from '../rest/job-schemas.js';
import { formatBytes, formatDuration, wholeDuration } from './format.js';

const WIDTH = 1000;
const HEIGHT = 96;
const BASE = 76;
const BAR_MIN = 5;

/** A checkpoint as a box, in units of the drawing. */
export interface TimelineBar {
  readonly id: number;
  readonly x: number;
  readonly width: number;
  readonly height: number;
}

/** The boxes from the oldest trigger to now. */
export function timelineBars(
  history: readonly Checkpoint[],
  nowMs: number,
): readonly TimelineBar[] {
  const starts = history.map(({ trigger_timestamp }) => trigger_timestamp);
  const startMs = Math.min(...starts);
  const spanMs = Math.max(1, nowMs - startMs);
  const most = Math.max(1, ...history.map(({ checkpointed_size }) => checkpointed_size));
  return history.map((one) => {
    const tookMs =
      one.status === 'IN_PROGRESS' ? nowMs - one.trigger_timestamp : one.end_to_end_duration;
    const width = Math.max(BAR_MIN, (tookMs / spanMs) * WIDTH);
    const x = ((one.trigger_timestamp - startMs) / spanMs) * WIDTH;
    return {
      id: one.id,
      x: Math.min(x, WIDTH - width),
      width,
      height: Math.max(3, (one.checkpointed_size / most) * (BASE - 14)),
    };
  });
}

function barText({ id, end_to_end_duration, checkpointed_size }: Checkpoint): string {
  const took = formatDuration(end_to_end_duration);
  return `${id}: took ${took}, wrote ${formatBytes(checkpointed_size)}`;
}

export function CheckpointTimeline({
  history,
  nowMs,
}: {
  readonly history: readonly Checkpoint[];
  readonly nowMs: number;
}) {
  const bars = timelineBars(history, nowMs);
  const oldest = Math.min(...history.map(({ trigger_timestamp }) => trigger_timestamp));
  const most = Math.max(...history.map(({ checkpointed_size }) => checkpointed_size));
  return (
    <figure class="checkpoint-line">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
        <title>Checkpoints from the oldest of these to now</title>
        <line x1="0" x2={WIDTH} y1={BASE} y2={BASE} />
        {history.map((one, index) => {
          const bar = bars[index];
          if (bar === undefined) return null;
          return (
            <rect
              key={one.id}
              class={one.is_savepoint ? 'savepoint' : one.status.toLowerCase()}
              x={bar.x}
              y={BASE - bar.height}
              width={Math.max(BAR_MIN, bar.width - 2)}
              height={bar.height}
              rx="1.5"
            >
              <title>{barText(one)}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption>
        <span>{wholeDuration(Math.max(0, nowMs - oldest))} ago</span>
        <span class="quiet">
          <span class="key completed" /> checkpoint <span class="key savepoint" /> savepoint{' '}
          <span class="key failed" /> failed · the highest wrote {formatBytes(most)}
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}
