/**
 * Who holds the memory of a job: its process, and each slot as a box that is filled by kind. Callers: the page of a
 * job. Runs on: the page's thread.
 */
import type { JobMemory } from '../rest/job-schemas.js';
import { countOf, formatBytes, NONE, percentText } from './format.js';
import { useAnswer, useClient } from './hooks.js';
import { Figure, Pending, type TabProps } from './tab.js';

type SlotMemory = JobMemory['slots'][number];

/** From this share on it is time to do something. */
const TIGHT = 0.7;

export function MemoryScreen({ job, state }: TabProps) {
  const client = useClient();
  const { value, error } = useAnswer(`memory ${job.jid}`, state.flow, () =>
    client.jobMemory({ jobid: job.jid }),
  );
  if (value === null) return <Pending error={error} />;
  const { residentBytes, slotBytes, slots } = value;
  const sum = (pick: (slot: SlotMemory) => number): number =>
    slots.reduce((total, slot) => total + pick(slot), 0);
  const tight = slots.filter((slot) => shareOf(slot.stateBytes, slot.stateBytesMax) >= TIGHT);
  return (
    <>
      <dl class="figures">
        <Figure
          name="Process"
          value={residentBytes === null ? NONE : formatBytes(residentBytes)}
          title="Memory of the job's process that the machine backs"
        />
        <Figure name="State" value={formatBytes(sum((slot) => slot.stateBytes))} />
        <Figure name="Heaps" value={formatBytes(sum((slot) => slot.heapBytes))} />
        <Figure name="Waiting in rings" value={formatBytes(sum((slot) => slot.ringBytes))} />
        <Figure name="Slots" value={`${slots.length} of ${formatBytes(slotBytes)} each`} />
      </dl>
      {tight.length > 0 && (
        <p class="notice-line warn" role="status">
          State fills{' '}
          {percentText(Math.max(...tight.map((s) => shareOf(s.stateBytes, s.stateBytesMax))))} of
          what it has in slot {tight.map(({ slot }) => slot).join(', ')}. Raise{' '}
          <code>slot.memory</code> or <code>slot.managedFraction</code>, use more slots, or give
          state a time to live.
        </p>
      )}
      {slots.length === 0 ? (
        <p class="hint">The job has no slots yet.</p>
      ) : (
        <ul class="slots">
          {slots.map((slot) => (
            <Slot key={slot.slot} slot={slot} />
          ))}
        </ul>
      )}
    </>
  );
}

function shareOf(bytes: number, most: number): number {
  return most > 0 ? Math.min(1, bytes / most) : 0;
}

function Slot({ slot }: { readonly slot: SlotMemory }) {
  return (
    <li>
      <h2>
        {slot.slot < 0 ? 'Caller’s thread' : `Slot ${slot.slot}`}{' '}
        <span class="count">{countOf(slot.subtasks, 'subtask')}</span>
      </h2>
      <Meter name="Heap" kind="heap" bytes={slot.heapBytes} most={slot.heapBytesMax} />
      <Meter name="State" kind="state" bytes={slot.stateBytes} most={slot.stateBytesMax} />
      <Meter
        name="Rings"
        kind="rings"
        bytes={slot.ringBytes}
        most={slot.ringBytesMax}
        note={`${formatBytes(slot.ringBytesReserved)} reserved`}
      />
    </li>
  );
}

function Meter(props: {
  readonly name: string;
  readonly kind: string;
  readonly bytes: number;
  readonly most: number;
  readonly note?: string;
}) {
  const { name, kind, bytes, most, note } = props;
  const share = shareOf(bytes, most);
  const text = `${formatBytes(bytes)} of ${formatBytes(most)}, ${percentText(share)}`;
  return (
    <div class="meter">
      <span>{name}</span>
      <span class="track" role="img" aria-label={`${name}: ${text}`}>
        <span
          class={`${kind} ${share >= TIGHT ? 'tight' : ''}`}
          style={{ width: `${share * 100}%` }}
        />
      </span>
      <span class="number">{text}</span>
      {note !== undefined && <span class="quiet note">{note}</span>}
    </div>
  );
}
