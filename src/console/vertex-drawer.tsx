/**
 * What is known of one chain: rates and time, its subtasks, its event time, what has failed in it, what it is made of.
 * Callers: the graph's screen. Runs on: the page's thread.
 */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { JobFlow, JobSummary, Metric } from '../rest/job-schemas.js';
import type { BackPressure, VertexDetails } from '../rest/vertex-schemas.js';
import { ExceptionGroups } from './exception-groups.js';
import { FlameTab } from './flame-tab.js';
import {
  byteRateText,
  countOf,
  formatBytes,
  formatCount,
  parseWatermark,
  rateText,
  watermarkText,
} from './format.js';
import { useAnswer, useClient } from './hooks.js';
import type { LiveState } from './live.js';
import { RateChart } from './rate-chart.js';
import { SharesBar, sharesText, StateBadge } from './state-badge.js';
import { Figure, Pending } from './tab.js';
import { TapPanel } from './tap-panel.js';
import { VirtualRows } from './virtual-rows.js';

type FlowVertex = JobFlow['vertices'][number];

const PARTS = ['subtasks', 'tap', 'flame', 'watermarks', 'exceptions', 'operators'] as const;
type Part = (typeof PARTS)[number];

const ROW_HEIGHT = 28;

interface DrawerProps {
  readonly job: JobSummary;
  readonly vertex: FlowVertex;
  /** The chain at the other end of the edge whose records are looked at; null for none. */
  readonly to: string | null;
  readonly state: LiveState;
  readonly version: number;
  readonly closeHref: string;
}

export function VertexDrawer({ job, vertex, to, state, version, closeHref }: DrawerProps) {
  const [part, setPart] = useState<Part>(to === null ? 'subtasks' : 'tap');
  const place = useRef<HTMLElement>(null);
  // Before it is seen: a key that is pressed at once is for the drawer.
  useLayoutEffect(() => {
    place.current?.focus({ preventScroll: true });
    // Who looked at a chain goes on from there.
    return () => document.querySelector<SVGAElement>(`[data-vertex="${vertex.id}"]`)?.focus();
  }, [vertex.id]);
  const close = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') location.hash = closeHref;
  };
  return (
    <aside ref={place} class="drawer" tabIndex={-1} aria-label={vertex.name} onKeyDown={close}>
      <header>
        <h2>{vertex.name}</h2>
        <a class="close" href={closeHref} aria-label="Close" title="Close (Escape)">
          ×
        </a>
      </header>
      <VertexFigures vertex={vertex} />
      <RateChart values={state.flowRates.get(vertex.id) ?? []} nowMs={state.nowMs} />
      <div class="tabs" role="tablist">
        {PARTS.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={one === part}
            onClick={() => setPart(one)}
          >
            {one[0]?.toUpperCase()}
            {one.slice(1)}
          </button>
        ))}
      </div>
      {part === 'subtasks' && <Subtasks job={job} vertex={vertex} at={state.flow} />}
      {part === 'tap' && (
        <TapPanel key={vertex.id} job={job} vertex={vertex} flow={state.flow} to={to} />
      )}
      {part === 'flame' && <FlameTab key={vertex.id} job={job} vertex={vertex} />}
      {part === 'watermarks' && <Watermarks job={job} vertex={vertex} at={state.flow} />}
      {part === 'exceptions' && <Exceptions job={job} vertex={vertex} version={version} />}
      {part === 'operators' && <Operators vertex={vertex} />}
    </aside>
  );
}

function VertexFigures({ vertex }: { readonly vertex: FlowVertex }) {
  return (
    <>
      <p class="line">
        <StateBadge state={vertex.status} />
        <span>{countOf(vertex.parallelism, 'subtask')}</span>
        {vertex.lateRecords > 0 && (
          <span class="warn">{formatCount(vertex.lateRecords)} late records dropped</span>
        )}
        {vertex.badRecords > 0 && (
          <span class="bad">{formatCount(vertex.badRecords)} bad records</span>
        )}
      </p>
      <dl class="figures">
        <Figure name="Records" value={rateText(vertex.recordsPerSecond)} />
        <Figure name="Bytes" value={byteRateText(vertex.bytesPerSecond)} />
        <Figure name="So far" value={`${formatCount(vertex.records)} records`} />
      </dl>
      <p class="line">
        <SharesBar shares={vertex} />
        <span class="quiet">{sharesText(vertex)}</span>
      </p>
    </>
  );
}

interface PartProps {
  readonly job: JobSummary;
  readonly vertex: FlowVertex;
  /** Is another when there are other numbers. */
  readonly at: JobFlow | null;
}

function Subtasks({ job, vertex, at }: PartProps) {
  const client = useClient();
  const ids = { jobid: job.jid, vertexid: vertex.id };
  const { value, error } = useAnswer(`${job.jid} ${vertex.id}`, at, () =>
    Promise.all([client.vertex(ids), client.backPressure(ids)]),
  );
  if (value === null) return <Pending error={error} />;
  const [{ subtasks }, { subtasks: pressures }] = value;
  return (
    <VirtualRows
      count={subtasks.length}
      rowHeight={ROW_HEIGHT}
      label="Subtasks"
      head={
        <div class="vrow subtask head" role="row">
          <span role="columnheader">#</span>
          <span role="columnheader">State</span>
          <span role="columnheader" class="number">
            Read
          </span>
          <span role="columnheader" class="number">
            Bytes
          </span>
          <span role="columnheader" class="number">
            Written
          </span>
          <span role="columnheader">Time</span>
        </div>
      }
      row={(index) => <SubtaskRow key={index} task={subtasks[index]} pressure={pressures[index]} />}
    />
  );
}

function SubtaskRow({
  task,
  pressure,
}: {
  readonly task: VertexDetails['subtasks'][number] | undefined;
  readonly pressure: BackPressure['subtasks'][number] | undefined;
}) {
  if (task === undefined) return null;
  const { metrics } = task;
  const shares = {
    busy: pressure?.busyRatio ?? 0,
    blocked: pressure?.ratio ?? 0,
    idle: pressure?.idleRatio ?? 0,
  };
  return (
    <div class="vrow subtask" role="row">
      <span role="cell">{task.subtask}</span>
      <span role="cell">
        <StateBadge state={task.status} />
      </span>
      <span role="cell" class="number">
        {formatCount(metrics['read-records'])}
      </span>
      <span role="cell" class="number">
        {formatBytes(metrics['read-bytes'])}
      </span>
      <span role="cell" class="number">
        {formatCount(metrics['write-records'])}
      </span>
      <span role="cell">
        <SharesBar shares={shares} />
      </span>
    </div>
  );
}

function Watermarks({ job, vertex, at }: PartProps) {
  const client = useClient();
  const ids = { jobid: job.jid, vertexid: vertex.id };
  const { value, error } = useAnswer(`watermarks ${job.jid} ${vertex.id}`, at, () =>
    client.watermarks(ids),
  );
  if (value === null) return <Pending error={error} />;
  const times = value.map((metric: Metric) => parseWatermark(metric.value ?? ''));
  const isTimeless = vertex.watermark === null && times.every((time) => time === null);
  const least = times.reduce(
    (a, b) => (a === null || b === null ? null : Math.min(a, b)),
    Infinity,
  );
  return (
    <div class="scroll">
      <p class="line">
        Event time behind the chain: <b>{watermarkText(vertex.watermark)}</b>
      </p>
      {isTimeless && (
        <p class="hint">
          No event time has reached this chain. Where windows wait for it, give the stream
          <code>assignTimestamps</code>, and see whether its source brings records.
        </p>
      )}
      {!isTimeless && (
        <VirtualRows
          count={times.length}
          rowHeight={ROW_HEIGHT}
          label="Watermarks of the inputs of subtasks"
          row={(index) => (
            <div class="vrow two" role="row" key={index}>
              <span role="cell">Subtask {index}</span>
              <span role="cell" class={times[index] === least && times.length > 1 ? 'warn' : ''}>
                {watermarkText(times[index] ?? null)}
              </span>
            </div>
          )}
        />
      )}
    </div>
  );
}

function Exceptions({
  job,
  vertex,
  version,
}: Omit<PartProps, 'at'> & { readonly version: number }) {
  const client = useClient();
  const { value, error } = useAnswer(`exceptions ${job.jid}`, version, () =>
    client.jobExceptions({ jobid: job.jid }),
  );
  if (value === null) return <Pending error={error} />;
  const names = new Set([vertex.name, ...vertex.operators.map(({ name }) => name)]);
  const own = value.exceptionHistory.entries.filter(({ taskName }) => {
    return taskName !== null && names.has(taskName.replace(/ \(\d+\)$/, ''));
  });
  if (own.length === 0) return <p class="hint">Nothing has failed in this chain.</p>;
  return <ExceptionGroups entries={own} />;
}

function Operators({ vertex }: { readonly vertex: FlowVertex }) {
  return (
    <ol class="operators scroll">
      {vertex.operators.map(({ name, kind, text }, index) => (
        <li key={index}>
          <b>{name}</b> <span class="quiet">{kind}</span>
          {text !== name && <code>{text}</code>}
        </li>
      ))}
    </ol>
  );
}
