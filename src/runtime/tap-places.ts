/**
 * Where records of a plan can be looked at: on the edges between chains, behind sources, before sinks. Inside a chain
 * there are none to look at, since its operators are one loop; who asks for those is told the nearest place. Callers:
 * `taps.ts`. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { nearestName } from '../base/nearest-name.js';
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import type { TapOptions } from './tap.js';
import type { TapPlace } from './tap-protocol.js';
import { vertexId } from './vertex-id.js';

/** A place and how it is called. */
export interface NamedPlace {
  readonly place: TapPlace;
  /** Such as `csv -> keyBy`. */
  readonly name: string;
}

type Where = Pick<TapOptions, 'operator' | 'to' | 'side'>;
type Named = { readonly name: string; readonly uid: string };

/** Something that has a name in the plan. */
interface Found {
  readonly vertex: Vertex;
  readonly of: Named;
  /** Index of the operator, -1 for the source, null for a sink or the whole chain. */
  readonly operator: number | null;
  readonly sink: number | null;
}

/** The places that are asked for. Throws OPERATOR_UNKNOWN, TAP_UNAVAILABLE. */
export function tapPlaces(plan: PhysicalPlan, where: Where): readonly NamedPlace[] {
  const found = foundIn(plan, where.operator);
  const places = placesAt(plan, found, where);
  if (places.length > 0) return places;
  throw unavailable(plan, found, where);
}

function placesAt(plan: PhysicalPlan, found: Found, where: Where): readonly NamedPlace[] {
  const { vertex, operator, sink } = found;
  if (sink !== null) return where.to === undefined ? [sinkPlace(vertex, sink)] : [];
  if (where.side === 'input') return inputsOf(plan, found);
  if (operator === null) {
    const last = vertex.operators.length - 1;
    const all = Array.from({ length: last + 2 }, (_, index) => index - 1);
    return all.flatMap((after) => outputsAfter(plan, vertex, after, where.to));
  }
  const outputs = outputsAfter(plan, vertex, operator, where.to);
  if (where.to !== undefined) return outputs;
  // Those that leave at one place carry the same records.
  if (operator === -1) return [sourcePlace(vertex)];
  return outputs.slice(0, 1);
}

/** What goes into an operator, or a chain. */
function inputsOf(plan: PhysicalPlan, { vertex, operator }: Found): readonly NamedPlace[] {
  if (operator === -1) return [];
  const before = operator === null ? -1 : (vertex.operators[operator]?.input ?? -1);
  if (before >= 0) return outputsAfter(plan, vertex, before, undefined).slice(0, 1);
  if (vertex.source !== null) return [sourcePlace(vertex)];
  return vertex.inputs.map((edge) => edgePlace(plan, edge));
}

/** Where the output of an operator leaves its chain. */
function outputsAfter(
  plan: PhysicalPlan,
  vertex: Vertex,
  after: number,
  to: string | undefined,
): readonly NamedPlace[] {
  const target = to === undefined ? null : foundIn(plan, to);
  const edges = vertex.outputs
    .filter((output) => output.after === after)
    .filter(({ edge }) => target === null || plan.edges[edge].to === target.vertex.id)
    .map(({ edge }) => edgePlace(plan, edge));
  const sinks = vertex.sinks.flatMap((sink, index) => {
    const isMeant = target === null || (target.vertex === vertex && target.sink === index);
    return sink.after === after && isMeant ? [sinkPlace(vertex, index)] : [];
  });
  return [...edges, ...sinks];
}

function edgePlace(plan: PhysicalPlan, edge: number): NamedPlace {
  const { from, to } = plan.edges[edge];
  const [upstream, downstream] = [plan.vertices[from], plan.vertices[to]];
  const after = upstream.outputs.find((one) => one.edge === edge)?.after ?? -1;
  const name = `${operatorAt(upstream, after)} -> ${operatorAt(downstream, 0)}`;
  return { place: { kind: 'edge', edge }, name };
}

function operatorAt({ source, operators, sinks, name }: Vertex, index: number): string {
  const at = operators[index]?.spec ?? source?.identity ?? sinks[0]?.identity;
  return at?.name ?? name;
}

function sourcePlace(vertex: Vertex): NamedPlace {
  return { place: { kind: 'source', vertex: vertex.id }, name: vertex.source?.identity.name ?? '' };
}

function sinkPlace(vertex: Vertex, sink: number): NamedPlace {
  const { name } = vertex.sinks[sink].identity;
  return { place: { kind: 'sink', vertex: vertex.id, sink }, name: `-> ${name}` };
}

function everything(plan: PhysicalPlan): readonly Found[] {
  return plan.vertices.flatMap((vertex): readonly Found[] => [
    { vertex, of: vertex, operator: null, sink: null },
    ...(vertex.source === null
      ? []
      : [{ vertex, of: vertex.source.identity, operator: -1, sink: null }]),
    ...vertex.operators.map(({ spec }, operator) => ({ vertex, of: spec, operator, sink: null })),
    ...vertex.sinks.map(({ identity }, sink) => ({ vertex, of: identity, operator: null, sink })),
  ]);
}

/** By id of the chain or uid, else by name; a chain of one operator is that operator. */
function foundIn(plan: PhysicalPlan, name: string): Found {
  const all = everything(plan);
  const isWhole = ({ operator, sink }: Found): boolean => operator === null && sink === null;
  const byId = all.filter((one) => one.of.uid === name || vertexId(one.of.uid) === name);
  const byName = all.filter(({ of }) => of.name === name);
  const parts = byName.filter((one) => !isWhole(one));
  const found = [byId, parts, byName].find((some) => some.length > 0) ?? [];
  if (found.length === 1 || (byId.length > 0 && found.some(isWhole))) {
    return found.find(isWhole) ?? found[0];
  }
  const where = { job: plan.jobName };
  if (found.length > 1) {
    throw new MillraceError('OPERATOR_UNKNOWN', `${found.length} operators are called "${name}".`, {
      where,
      advice: `Name one by its uid: ${found.map(({ of }) => of.uid).join(', ')}.`,
    });
  }
  const names = all.filter((one) => !isWhole(one)).map(({ of }) => of.name);
  const near = nearestName(name, [...names, ...all.map(({ of }) => of.uid)]);
  throw new MillraceError('OPERATOR_UNKNOWN', `The job has no operator "${name}".`, {
    where,
    advice: near === null ? `It has ${[...new Set(names)].join(', ')}.` : `Did you mean "${near}"?`,
  });
}

function unavailable(plan: PhysicalPlan, found: Found, { to, side }: Where): MillraceError {
  const { of, operator } = found;
  const where = { job: plan.jobName, operator: of.name, uid: of.uid };
  if (operator === -1 && side === 'input') {
    return new MillraceError('TAP_UNAVAILABLE', `${of.name} is a source and has no input.`, {
      where,
      advice: 'Look at its output.',
    });
  }
  const what = side === 'input' ? 'reaches' : 'leaves';
  const target = to === undefined ? '' : ` for ${to}`;
  const places = [
    ...inputsOf(plan, { ...found, operator: null }),
    ...placesAt(plan, { ...found, operator: null, sink: null }, { operator: '' }),
  ];
  const ends = places.map(({ name }) => `"${name}"`).join(' or ');
  return new MillraceError(
    'TAP_UNAVAILABLE',
    `What ${what} ${of.name}${target} is never a record: its chain is one loop.`,
    {
      where,
      advice:
        `Look at ${ends}, the ends of its chain, or ` +
        `give ${of.name} the option { chain: 'never' }.`,
    },
  );
}
