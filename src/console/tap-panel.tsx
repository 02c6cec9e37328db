/**
 * Records of a chain as they pass, a sample of them, and how many passed in all. Callers: the drawer of a chain. Runs
 * on: the page's thread. Invariant: what a record holds is text, and no more records are kept than a bound.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { MillraceError } from '../base/errors.js';
import type { TapArguments } from '../rest/client.js';
import type { JobFlow, JobSummary } from '../rest/job-schemas.js';
import type { TapEvent } from '../rest/tap-event.js';
import { formatCount } from './format.js';
import { useClient } from './hooks.js';
import { hasEnded } from './job-action.js';
import { VirtualRows } from './virtual-rows.js';

type FlowVertex = JobFlow['vertices'][number];
type Counts = Pick<TapEvent, 'shown' | 'passed' | 'looked'>;

/** Records that are kept; older ones go. */
const RECORDS_MAX = 500;
const ROW_HEIGHT = 22;
/** Characters of a record in its row; all of them are in the tooltip, up to the longer bound. */
const ROW_CHARS_MAX = 400;
const TITLE_CHARS_MAX = 4000;

interface Seen {
  readonly at: string;
  readonly text: string;
}

/** Where to look: what goes into the chain, what comes out of it, or out of one of its operators. */
const INPUT = 'input';
const OUTPUT = 'output';
/** Before an operator it comes out of, and before a chain it goes to. */
const OUT_OF = '=';
const GOES_TO = '>';

interface TapProps {
  readonly job: JobSummary;
  readonly vertex: FlowVertex;
  readonly flow: JobFlow | null;
  /** The chain at the other end of the edge that was chosen; null for none. */
  readonly to: string | null;
}

export function TapPanel({ job, vertex, flow, to }: TapProps) {
  const [place, setPlace] = useState(to === null ? OUTPUT : `${GOES_TO}${to}`);
  const [filter, setFilter] = useState('');
  /** What is looked at; null while nothing is. */
  const [asked, setAsked] = useState<TapArguments | null>(null);
  const { seen, counts, problem } = useTap(asked, () => setAsked(null));
  const isOpen = asked !== null;
  const toggle = (event: Event): void => {
    event.preventDefault();
    setAsked(isOpen ? null : argumentsOf(job.jid, vertex, place, filter));
  };
  if (hasEnded(job.state)) return <p class="hint">The job has ended; no records pass any more.</p>;
  return (
    <div class="tap">
      <form class="line" onSubmit={toggle}>
        <select
          aria-label="Where to look"
          value={place}
          disabled={isOpen}
          onChange={(event) => setPlace(event.currentTarget.value)}
        >
          <option value={OUTPUT}>What comes out</option>
          {!vertex.isSource && <option value={INPUT}>What goes in</option>}
          {vertex.operators.map(({ name }, index) => (
            <option key={index} value={`${OUT_OF}${name}`}>
              Out of {name}
            </option>
          ))}
          {followers(vertex, flow).map(({ id, name }) => (
            <option key={id} value={`${GOES_TO}${id}`}>
              To {name}
            </option>
          ))}
        </select>
        <input
          type="search"
          class="search"
          placeholder="Filter, as amount > 100"
          aria-label="Only records for which this is true"
          spellcheck={false}
          value={filter}
          disabled={isOpen}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <button type="submit" class={isOpen ? '' : 'primary'}>
          {isOpen ? 'Stop' : 'Look'}
        </button>
      </form>
      {problem !== null && (
        <p class="bad" role="alert">
          {problem}
        </p>
      )}
      {counts !== null && (
        <p class="line quiet" role="status">
          {countsText(counts, filter !== '')}
        </p>
      )}
      {seen.length > 0 && (
        <VirtualRows
          count={seen.length}
          rowHeight={ROW_HEIGHT}
          label="Records"
          followsEnd
          row={(index) => <SeenRow key={index} seen={seen[index]} />}
        />
      )}
    </div>
  );
}

function SeenRow({ seen }: { readonly seen: Seen | undefined }) {
  if (seen === undefined) return null;
  return (
    <div class="log-line" role="row" title={`${seen.at}\n${seen.text.slice(0, TITLE_CHARS_MAX)}`}>
      {seen.text.slice(0, ROW_CHARS_MAX)}
    </div>
  );
}

function countsText({ shown, passed, looked }: Counts, isFiltered: boolean): string {
  const searched = isFiltered ? `, ${formatCount(looked)} looked at` : '';
  return `${formatCount(shown)} of ${formatCount(passed)} shown${searched}`;
}

function argumentsOf(
  jobid: string,
  { id: vertexid }: FlowVertex,
  place: string,
  filter: string,
): TapArguments {
  const condition = filter.trim() === '' ? {} : { filter };
  if (place === INPUT) return { jobid, vertexid, side: 'input', ...condition };
  if (place === OUTPUT) return { jobid, vertexid, ...condition };
  const end = place.slice(1);
  if (place.startsWith(GOES_TO)) return { jobid, vertexid, to: end, ...condition };
  return { jobid, vertexid, operator: end, ...condition };
}

/** The chains that it feeds, each once. */
function followers({ id }: FlowVertex, flow: JobFlow | null): readonly FlowVertex[] {
  const fed = new Set(flow?.edges.flatMap(({ from, to }) => (from === id ? [to] : [])));
  return flow?.vertices.filter((one) => fed.has(one.id)) ?? [];
}

interface Tapped {
  readonly seen: readonly Seen[];
  readonly counts: Counts | null;
  readonly problem: string | null;
}

const NOTHING: Tapped = { seen: [], counts: null, problem: null };

/** Follows a tap; what it has shown stays when it is closed. */
function useTap(asked: TapArguments | null, onEnd: () => void): Tapped {
  const client = useClient();
  const [tapped, setTapped] = useState(NOTHING);
  const ended = useRef(onEnd);
  ended.current = onEnd;
  useEffect(() => {
    if (asked === null) return undefined;
    setTapped(NOTHING);
    const leaving = new AbortController();
    const follow = async (): Promise<void> => {
      for await (const { type, data } of client.tap(asked, leaving.signal)) {
        if (type === 'records') setTapped((last) => withEvent(last, data as TapEvent));
        else if (data !== null) setTapped((last) => ({ ...last, problem: problemIn(data) }));
      }
    };
    follow()
      .catch((error: unknown) => {
        if (!leaving.signal.aborted) {
          setTapped((last) => ({ ...last, problem: problemOf(error) }));
        }
      })
      .finally(() => {
        if (!leaving.signal.aborted) ended.current();
      });
    return () => leaving.abort();
  }, [asked, client]);
  return tapped;
}

function withEvent(last: Tapped, { records, ...counts }: TapEvent): Tapped {
  const added = records.map(({ record, at, subtask, kind }) => {
    const text = `${kind === '+I' ? '' : `${kind} `}${JSON.stringify(record)}`;
    return { at: `${at}, subtask ${subtask}`, text };
  });
  return { ...last, counts, seen: [...last.seen, ...added].slice(-RECORDS_MAX) };
}

function problemIn(data: unknown): string {
  const { message, advice } = data as { readonly message: string; readonly advice: string | null };
  return advice === null ? message : `${message} ${advice}`;
}

function problemOf(error: unknown): string {
  return problemIn(MillraceError.is(error) ? error : { message: String(error), advice: null });
}
