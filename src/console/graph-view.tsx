/**
 * The drawing of a graph: edges as thick as their rate and as warm as their rings are full, chains with how their time
 * is spent. From far away chains are colours, from nearer names, then numbers. Callers: the graph's screen. Runs on:
 * the page's thread.
 */
import { useRef } from 'preact/hooks';
import type { JobFlow } from '../rest/job-schemas.js';
import { byteRateText, percentText, rateText, shortened } from './format.js';
import { type CameraControl, useCamera } from './graph-camera.js';
import {
  edgePath,
  type GraphLayout,
  labelPoint,
  neighbor,
  NODE_HEIGHT,
  NODE_WIDTH,
  type Point,
} from './graph-drawing.js';
import { sharesText } from './state-badge.js';

type FlowVertex = JobFlow['vertices'][number];
type FlowEdge = JobFlow['edges'][number];

const NAME_CHARS_MAX = 26;
/** Widths of edges, in units of the drawing. */
const WIDTH_MIN = 1.5;
const WIDTH_MAX = 9;

const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export function GraphView({
  flow,
  layout,
  open,
  placeOf,
}: {
  readonly flow: JobFlow;
  readonly layout: GraphLayout;
  readonly open: string | null;
  placeOf(id: string | null, to?: string): string;
}) {
  const image = useRef<SVGSVGElement>(null);
  const camera = useCamera(image, layout);
  const most = Math.max(1, ...flow.edges.map((edge) => edge.recordsPerSecond));
  const pick = (event: KeyboardEvent): void => {
    const direction = DIRECTIONS[event.key];
    if (direction === undefined) return onZoomKey(event, camera);
    const id = (event.target as Element).getAttribute('data-vertex');
    const next = id === null ? null : neighbor(layout.nodes, id, direction);
    if (next === null) return;
    event.preventDefault();
    const { x = 0, y = 0 } = layout.nodes.get(next) ?? {};
    camera.reveal(x, y);
    image.current?.querySelector<SVGAElement>(`[data-vertex="${next}"]`)?.focus();
  };
  return (
    <div class="graph">
      <svg
        ref={image}
        class={camera.detail}
        onKeyDown={pick}
        role="group"
        aria-label="Graph of the job; arrow keys go from chain to chain, plus and minus zoom"
      >
        <g>
          {flow.edges.map((edge, index) => (
            <Edge
              key={`${edge.from} ${edge.to} ${index}`}
              edge={edge}
              href={placeOf(edge.from, edge.to)}
              layout={layout}
              points={layout.edges[index] ?? []}
              most={most}
            />
          ))}
          {flow.vertices.map((vertex) => (
            <Node
              key={vertex.id}
              vertex={vertex}
              at={layout.nodes.get(vertex.id)}
              isOpen={vertex.id === open}
              isSlow={vertex.id === flow.bottleneck?.vertex}
              href={placeOf(vertex.id)}
            />
          ))}
        </g>
      </svg>
      <Zoom camera={camera} />
      <Legend />
    </div>
  );
}

function Zoom({ camera }: { readonly camera: CameraControl }) {
  const buttons = [
    { sign: '+', title: 'Larger', key: '+', press: () => camera.zoom(true) },
    { sign: '−', title: 'Smaller', key: '−', press: () => camera.zoom(false) },
    { sign: '⤢', title: 'Show all', key: '0', press: camera.fit },
  ];
  return (
    <div class="zoom">
      {buttons.map(({ sign, title, key, press }) => (
        <button
          key={key}
          type="button"
          onClick={press}
          aria-label={title}
          title={`${title} (${key})`}
        >
          {sign}
        </button>
      ))}
    </div>
  );
}

/** A chain by its first and last operators, which is enough to find it. */
function chainText(name: string): string {
  const parts = name.split(' -> ');
  return parts.length < 3 ? parts.join(' → ') : `${parts[0] ?? ''} → … → ${parts.at(-1) ?? ''}`;
}

function onZoomKey(event: KeyboardEvent, camera: CameraControl): void {
  if (event.key === '+' || event.key === '=') camera.zoom(true);
  else if (event.key === '-') camera.zoom(false);
  else if (event.key === '0') camera.fit();
}

function Node({
  vertex,
  at,
  isOpen,
  isSlow,
  href,
}: {
  readonly vertex: FlowVertex;
  readonly at: Point | undefined;
  readonly isOpen: boolean;
  readonly isSlow: boolean;
  readonly href: string;
}) {
  if (at === undefined) return null;
  const { id, name, parallelism, status, busy, blocked, idle, recordsPerSecond } = vertex;
  const [left, top] = [at.x - NODE_WIDTH / 2, at.y - NODE_HEIGHT / 2];
  const inner = NODE_WIDTH - 24;
  const shares = sharesText(vertex);
  const pace = isSlow ? ', sets the pace' : '';
  const label = `${name}, ${rateText(recordsPerSecond)}, ${shares}${pace}`;
  return (
    <g transform={`translate(${left} ${top})`}>
      <a
        class={`node ${status.toLowerCase()} ${isOpen ? 'open' : ''} ${isSlow ? 'slow' : ''}`}
        href={href}
        data-vertex={id}
        aria-label={label}
      >
        <title>{`${name}\n${shares}`}</title>
        <rect class="body" width={NODE_WIDTH} height={NODE_HEIGHT} rx="8" />
        <rect
          class="heat"
          width={NODE_WIDTH}
          height={NODE_HEIGHT}
          rx="8"
          style={{ fillOpacity: Math.min(1, busy) }}
        />
        <text class="name" x="12" y="23">
          {shortened(chainText(name), NAME_CHARS_MAX)}
        </text>
        <text class="numbers" x="12" y="42">
          {rateText(recordsPerSecond)}
        </text>
        <text class="numbers end" x={NODE_WIDTH - 12} y="42">
          ×{parallelism} · {percentText(busy)} busy
        </text>
        <g transform="translate(12 54)" class="bar">
          <rect class="rest" width={inner} height="9" rx="3" />
          <rect class="busy" width={inner * Math.min(1, busy)} height="9" />
          <rect class="blocked" x={inner * busy} width={inner * blocked} height="9" />
          <rect
            class="idle"
            x={inner * (busy + blocked)}
            width={Math.max(0, inner * Math.min(idle, 1 - busy - blocked))}
            height="9"
          />
        </g>
      </a>
    </g>
  );
}

function Edge({
  edge,
  href,
  layout,
  points,
  most,
}: {
  readonly edge: FlowEdge;
  /** Where its records are looked at. */
  readonly href: string;
  readonly layout: GraphLayout;
  readonly points: readonly Point[];
  readonly most: number;
}) {
  const from = layout.nodes.get(edge.from);
  const to = layout.nodes.get(edge.to);
  if (from === undefined || to === undefined) return null;
  const { recordsPerSecond, bytesPerSecond, fill, strategy } = edge;
  const rate = rateText(recordsPerSecond);
  const bytes = byteRateText(bytesPerSecond);
  const full = fill >= 0.01 ? ` · ${percentText(fill)} full` : '';
  const label = labelPoint(from, to, points);
  const width = WIDTH_MIN + (WIDTH_MAX - WIDTH_MIN) * Math.sqrt(recordsPerSecond / most);
  return (
    // By the keyboard its records are one of the places of the tap of its chain.
    <a class="edge" href={href} tabIndex={-1}>
      <title>
        {`${strategy}: ${rate}, ${bytes}, ${percentText(fill)} full; click to see records`}
      </title>
      <path class="reach" d={edgePath(from, to, points)} />
      <path
        d={edgePath(from, to, points)}
        style={{
          strokeWidth: width,
          stroke: `color-mix(in oklab, var(--full) ${Math.round(fill * 100)}%, var(--flow))`,
        }}
      />
      <text x={label.x} y={label.y - 7 - width / 2}>
        {rate}
        {full}
      </text>
      <text class="quiet" x={label.x} y={label.y + 15 + width / 2}>
        {shortened(strategy, 18)}
      </text>
    </a>
  );
}

function Legend() {
  return (
    <p class="legend">
      <span class="key busy" /> busy
      <span class="key blocked" /> blocked by what follows
      <span class="key idle" /> idle
      <span class="key flow" /> thicker: more records
      <span class="key full" /> warmer: rings fuller
    </p>
  );
}
