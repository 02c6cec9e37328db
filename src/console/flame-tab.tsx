/**
 * In which functions a chain spends its time: a flame graph of a second, with the names of the job's own functions. A
 * function that is clicked becomes the widest; the hottest are listed below. Callers: the drawer of a chain. Runs on:
 * the page's thread. Invariant: functions that are too narrow to be seen have no element.
 */
import { useState } from 'preact/hooks';
import type { FlameGraphNode } from '../rest/profile-schemas.js';
import type { JobFlow, JobSummary } from '../rest/job-schemas.js';
import { useAnswer, useClient } from './hooks.js';
import { hasEnded } from './job-action.js';
import { Pending } from './tab.js';

type FlowVertex = JobFlow['vertices'][number];

const ROW_HEIGHT = 20;
/** Parts of the width below which a function is left out. */
const LEAST_WIDTH = 0.002;
const LEVELS_MAX = 60;
const HOTTEST = 8;
const TYPES = [
  ['ON_CPU', 'At work'],
  ['OFF_CPU', 'Waiting'],
  ['FULL', 'Both'],
] as const;
type FlameType = (typeof TYPES)[number][0];

interface FlameProps {
  readonly job: JobSummary;
  readonly vertex: FlowVertex;
}

export function FlameTab({ job, vertex }: FlameProps) {
  const client = useClient();
  const [type, setType] = useState<FlameType>('ON_CPU');
  const [looks, setLooks] = useState(0);
  const isOver = hasEnded(job.state);
  const { value, error } = useAnswer(isOver ? null : `${job.jid} ${vertex.id} ${type}`, looks, () =>
    client.flameGraph({ jobid: job.jid, vertexid: vertex.id, type }),
  );
  if (isOver) return <p class="hint">The job has ended; nothing of it runs any more.</p>;
  return (
    <div class="flame">
      <div class="line">
        <select
          aria-label="What to show"
          value={type}
          onChange={(event) => setType(event.currentTarget.value as FlameType)}
        >
          {TYPES.map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
        <button type="button" onClick={() => setLooks(looks + 1)}>
          Look again
        </button>
        {value?.data !== undefined && (
          <span class="quiet">{value.data.value} samples, one in a millisecond</span>
        )}
      </div>
      {value === null ? (
        <Pending error={error} />
      ) : value.data === undefined ? (
        <p class="hint">The job does not run yet.</p>
      ) : value.data.value === 0 ? (
        <p class="hint">Nothing was seen of it within a second.</p>
      ) : (
        <Flames key={value.endTimestamp} root={value.data} />
      )}
    </div>
  );
}

function Flames({ root }: { readonly root: FlameGraphNode }) {
  const [widest, setWidest] = useState(root);
  const bars = barsOf(widest);
  const levels = Math.max(...bars.map(({ level }) => level)) + 1;
  return (
    <>
      <div class="flames" role="group" aria-label="Flame graph" style={heightOf(levels)}>
        {bars.map(({ node, level, left, width }, index) => {
          const share = ((node.value / root.value) * 100).toFixed(1);
          return (
            <button
              key={index}
              type="button"
              class={`frame ${kindOf(node.name)}`}
              title={`${node.name}\n${share} % of the time`}
              style={{
                left: `${left * 100}%`,
                width: `${width * 100}%`,
                top: `${level * ROW_HEIGHT}px`,
              }}
              onClick={() => setWidest(node === widest ? root : node)}
            >
              {node.name}
            </button>
          );
        })}
      </div>
      <table class="hottest">
        <thead>
          <tr>
            <th>Function</th>
            <th class="number">Itself</th>
          </tr>
        </thead>
        <tbody>
          {hottestOf(widest).map(({ name, value }) => (
            <tr key={name}>
              <td>{name}</td>
              <td class="number">{((value / widest.value) * 100).toFixed(1)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function heightOf(levels: number) {
  return { height: `${levels * ROW_HEIGHT}px` };
}

interface Bar {
  readonly node: FlameGraphNode;
  readonly level: number;
  /** Of the whole width. */
  readonly left: number;
  readonly width: number;
}

function barsOf(root: FlameGraphNode): readonly Bar[] {
  const bars: Bar[] = [];
  const add = (node: FlameGraphNode, level: number, left: number): void => {
    const width = node.value / root.value;
    if (width < LEAST_WIDTH || level >= LEVELS_MAX) return;
    bars.push({ node, level, left, width });
    let at = left;
    for (const child of node.children) {
      add(child, level + 1, at);
      at += child.value / root.value;
    }
  };
  add(root, 0, 0);
  return bars;
}

/** Functions by the samples in which they ran themselves. */
function hottestOf(root: FlameGraphNode): readonly { readonly name: string; value: number }[] {
  const own = new Map<string, number>();
  const add = ({ name, value, children }: FlameGraphNode): void => {
    const below = children.reduce((sum, child) => sum + child.value, 0);
    own.set(name, (own.get(name) ?? 0) + value - below);
    for (const child of children) add(child);
  };
  add(root);
  return [...own]
    .map(([name, value]) => ({ name, value }))
    .filter(({ value }) => value > 0)
    .toSorted((a, b) => b.value - a.value)
    .slice(0, HOTTEST);
}

/** Generated loops and the engine look different from what the job brings. */
function kindOf(name: string): 'generated' | 'engine' | 'own' {
  if (/ millrace:/.test(name)) return 'generated';
  return / (chunk-|slot|slot-run-|index|process)[\w-]*\.js:|^\(|^[^ ]+$| node:|^root/.test(name)
    ? 'engine'
    : 'own';
}
