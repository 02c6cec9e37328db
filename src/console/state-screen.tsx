/**
 * The state of a job as a checkpoint has it: operators, their states, the entries of a state page by page or by key;
 * beside it how the operator does in the running job. Callers: the page of a job. Runs on: the page's thread.
 * Invariant: a checkpoint that is looked at stays the one that is looked at until another one is chosen.
 */
import { useState } from 'preact/hooks';
import type { CheckpointState } from '../rest/state-schemas.js';
import { EqualCalls } from './action-dialog.js';
import { agoText, formatBytes, formatCount, NONE } from './format.js';
import { useAnswer, useClient } from './hooks.js';
import { StateEntriesTable } from './state-entries.js';
import { commandLineOf, type ReadableCheckpoint, readableOf, restOf } from './state-look.js';
import { StateRunning } from './state-running.js';
import { Pending, type TabProps } from './tab.js';
import { TableHead } from './table-head.js';

type Operator = CheckpointState['operators'][number];
type State = Operator['states'][number];

/** The checkpoint that is looked into: its number, or `latest` until it is known; each time anew. */
interface Asked {
  readonly id: string;
  readonly times: number;
}

/** A state that was chosen. */
interface Chosen {
  readonly operator: string;
  readonly state: string;
}

export function StateScreen({ job, state, version }: TabProps) {
  const client = useClient();
  const { jid } = job;
  const all = useAnswer(`checkpoints ${jid}`, version, () => client.checkpoints({ jobid: jid }));
  const readable = all.value === null ? [] : readableOf(all.value);
  const hasAny = all.value !== null && (all.value.counts.completed > 0 || readable.length > 0);
  const [asked, setAsked] = useState<Asked>({ id: 'latest', times: 0 });
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const listed = useAnswer(hasAny ? `${jid} ${asked.id} ${asked.times}` : null, null, () =>
    client.checkpointState({ jobid: jid, checkpointid: asked.id }),
  );
  if (all.value === null) return <Pending error={all.error} />;
  const { value, error } = listed;
  const isNone = !hasAny || (error !== null && readable.length === 0);
  if (isNone) return <NoneReadable hasAny={hasAny} />;
  const open = value === null ? null : openOf(value, chosen);
  return (
    <>
      <section>
        <div class="line">
          <CheckpointChoice
            id={value === null ? asked.id : String(value.checkpoint.id)}
            readable={readable}
            nowMs={state.nowMs}
            onChoose={(id) => setAsked({ id, times: asked.times + 1 })}
          />
          {value !== null && <code class="quiet path">{value.checkpoint.path}</code>}
        </div>
        {value === null ? (
          <Pending error={error} />
        ) : (
          <>
            <StatesTable list={value} open={open} onChoose={setChosen} />
            <EqualCalls
              rest={restOf(jid, value.checkpoint.id, null)}
              commandLine={commandLineOf(value.checkpoint.path, null)}
            />
          </>
        )}
      </section>
      {open !== null && <StateRunning job={job} state={state} operator={open.operator.name} />}
      {value !== null && open !== null && (
        <StateEntriesTable
          key={`${value.checkpoint.id} ${open.operator.uid} ${open.state.name}`}
          jid={jid}
          checkpoint={value.checkpoint}
          operator={open.operator.uid}
          shown={open.state}
        />
      )}
    </>
  );
}

function CheckpointChoice({
  id,
  readable,
  nowMs,
  onChoose,
}: {
  readonly id: string;
  readonly readable: readonly ReadableCheckpoint[];
  readonly nowMs: number;
  readonly onChoose: (id: string) => void;
}) {
  return (
    <>
      <label class="choice">
        Checkpoint
        <select value={id} onChange={(event) => onChoose(event.currentTarget.value)}>
          {!readable.some((one) => String(one.id) === id) && (
            <option value={id}>{id === 'latest' ? 'the newest' : `${id}, deleted since`}</option>
          )}
          {readable.map((one) => (
            <option key={one.id} value={String(one.id)}>
              {one.kind} {one.id}, {agoText(one.takenMs, nowMs)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => onChoose('latest')}>
        Newest
      </button>
    </>
  );
}

function NoneReadable({ hasAny }: { readonly hasAny: boolean }) {
  return (
    <p class="hint">
      {hasAny ? (
        <>
          No checkpoint of the job is there any more. What is to outlive its job is a savepoint, or
          a checkpoint with <code>execution.checkpointing.externalizedCheckpointRetention</code>.
        </>
      ) : (
        <>There is no checkpoint yet, from which state is read: take one by a button above.</>
      )}
    </p>
  );
}

/** The state that was chosen, else the first. */
function openOf(
  { operators }: CheckpointState,
  chosen: Chosen | null,
): { readonly operator: Operator; readonly state: State } | null {
  const all = operators.flatMap((operator) =>
    operator.states.map((state) => ({ operator, state })),
  );
  const found = all.find(
    ({ operator, state }) => operator.uid === chosen?.operator && state.name === chosen.state,
  );
  return found ?? all[0] ?? null;
}

function StatesTable({
  list: { operators },
  open,
  onChoose,
}: {
  readonly list: CheckpointState;
  readonly open: { readonly operator: Operator; readonly state: State } | null;
  readonly onChoose: (chosen: Chosen) => void;
}) {
  const rows = operators.flatMap((operator) =>
    operator.states.map((state) => ({ operator, state })),
  );
  if (rows.length === 0) return <p class="hint">No operator has state in this checkpoint.</p>;
  return (
    <table class="rows states">
      <TableHead
        columns={[
          'Operator',
          'State',
          'Kind',
          'Key',
          { number: 'Entries' },
          { number: 'Bytes' },
          { number: 'Key groups' },
          { number: 'Largest group' },
        ]}
      />
      <tbody>
        {rows.map(({ operator, state }) => {
          const isOpen = operator === open?.operator && state === open.state;
          return (
            <tr key={`${operator.uid} ${state.name}`} class={isOpen ? 'chosen' : ''}>
              <td title={`uid ${operator.uid}, parallelism ${operator.parallelism}`}>
                {operator.name}
              </td>
              <td>
                <button
                  type="button"
                  class="plain link"
                  aria-pressed={isOpen}
                  aria-label={`Entries of ${state.name} of ${operator.name}`}
                  onClick={() => onChoose({ operator: operator.uid, state: state.name })}
                >
                  {state.name}
                </button>
              </td>
              <td title={state.valueType ?? ''}>{state.kind}</td>
              <td>{state.keyTypes.join(', ') || NONE}</td>
              <td class="number" title={state.entries === null ? 'There was no time to count' : ''}>
                {state.entries === null ? 'many' : formatCount(state.entries)}
              </td>
              <td class="number">{formatBytes(state.bytes)}</td>
              <td class="number">
                {state.keyGroups === 0 ? NONE : `${state.keyGroups} of ${operator.maxParallelism}`}
              </td>
              <td class="number">{largestText(state)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The key group with most of the bytes, which tells of keys that are hot. */
function largestText({ largest, bytes }: State): string {
  if (largest === null || bytes === 0) return NONE;
  return `${largest.keyGroup}: ${Math.round((largest.bytes / bytes) * 100)} %`;
}
