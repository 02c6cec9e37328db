/**
 * The graph of a job: what sets the pace, in one sentence; chains and what flows between them; the drawer of the chain
 * that is looked at. Callers: the page of a job. Runs on: the page's thread.
 */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JobFlow, JobStatus } from '../rest/job-schemas.js';
import type { GraphLayout } from './graph-drawing.js';
import { GraphView } from './graph-view.js';
import { hasEnded } from './job-action.js';
import { hrefOf } from './route.js';
import type { TabProps } from './tab.js';
import { VertexDrawer } from './vertex-drawer.js';

export function GraphScreen({
  job,
  state,
  version,
  vertex,
  to,
}: TabProps & { readonly vertex: string | null; readonly to: string | null }) {
  const { flow } = state;
  const layout = useLayout(flow);
  if (flow === null || layout === null) return <p class="hint">Loading the graph…</p>;
  if (flow.vertices.length === 0) {
    return <p class="hint">The job has no graph yet: it is being planned.</p>;
  }
  const open = flow.vertices.find(({ id }) => id === vertex) ?? null;
  const placeOf = (id: string | null, end?: string): string => {
    const edge = end === undefined ? {} : { to: end };
    return hrefOf({ page: 'job', jid: job.jid, tab: 'graph', vertex: id, ...edge });
  };
  return (
    <div class="graph-page">
      <Sentence flow={flow} state={job.state} placeOf={placeOf} />
      <div class={`split ${open === null ? '' : 'open'}`}>
        <GraphView flow={flow} layout={layout} open={vertex} placeOf={placeOf} />
        {open !== null && (
          <VertexDrawer
            key={`${open.id} ${to}`}
            job={job}
            vertex={open}
            to={to}
            state={state}
            version={version}
            closeHref={placeOf(null)}
          />
        )}
      </div>
    </div>
  );
}

/** The layout of the graph as it is now; it is made anew only when chains or edges are others. */
function useLayout(flow: JobFlow | null): GraphLayout | null {
  const [made, setMade] = useState<GraphLayout | null>(null);
  const shape = useMemo(
    () =>
      flow === null
        ? null
        : JSON.stringify([
            flow.vertices.map(({ id }) => id),
            flow.edges.map((e) => [e.from, e.to]),
          ]),
    [flow],
  );
  useEffect(() => {
    if (flow === null) return undefined;
    let isWanted = true;
    void import('./graph-layout.js').then(({ layoutOf }) => {
      const ids = flow.vertices.map(({ id }) => id);
      if (isWanted) setMade(layoutOf(ids, flow.edges));
    });
    return () => {
      isWanted = false;
    };
  }, [shape]);
  return made;
}

function Sentence({
  flow,
  state,
  placeOf,
}: {
  readonly flow: JobFlow;
  readonly state: JobStatus;
  placeOf(id: string | null): string;
}) {
  const { bottleneck } = flow;
  if (hasEnded(state)) {
    return <p class="sentence">The job has ended; rates are averages over its run.</p>;
  }
  if (state !== 'RUNNING') {
    const href = hrefOf({ page: 'job', jid: flow.jid, tab: 'events', vertex: null });
    return (
      <p class="sentence">
        The job is {state.toLowerCase()}; <a href={href}>what has happened</a>
      </p>
    );
  }
  if (bottleneck === null) {
    return <p class="sentence">Nothing holds the job up so far.</p>;
  }
  const { vertex, sentence } = bottleneck;
  return (
    <p class="sentence strong" aria-live="polite">
      {vertex === null ? sentence : <a href={placeOf(vertex)}>{sentence}</a>}
    </p>
  );
}
