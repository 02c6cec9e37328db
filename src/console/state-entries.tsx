/**
 * The entries of one state, page by page, or those of a key. Callers: the state's screen. Runs on: the page's thread.
 * Invariant: what a key or a value holds is text, and what was cut says so.
 */
import { useState } from 'preact/hooks';
import type { CheckpointState, StateEntries } from '../rest/state-schemas.js';
import { EqualCalls } from './action-dialog.js';
import { countOf, formatBytes, formatCount, NONE } from './format.js';
import { useAnswer, useClient } from './hooks.js';
import { commandLineOf, queryOf, restOf, type StateLook, valueText } from './state-look.js';
import { Pending } from './tab.js';
import { TableHead } from './table-head.js';

type State = CheckpointState['operators'][number]['states'][number];
type Entry = StateEntries['entries'][number];

/** Characters of a value in its row; the row opens to the others. */
const SHORT_CHARS = 160;

interface EntriesProps {
  readonly jid: string;
  readonly checkpoint: CheckpointState['checkpoint'];
  readonly operator: string;
  readonly shown: State;
}

export function StateEntriesTable({ jid, checkpoint, operator, shown }: EntriesProps) {
  const client = useClient();
  const first: StateLook = { operator, state: shown.name, by: 'key', text: '', after: null };
  /** The pages up to the one that is looked at. */
  const [trail, setTrail] = useState<readonly StateLook[]>([first]);
  const look = trail.at(-1) ?? first;
  const id = String(checkpoint.id);
  const { value, error } = useAnswer(`${jid} ${id} ${JSON.stringify(look)}`, null, () =>
    client.stateEntries({ jobid: jid, checkpointid: id, ...queryOf(look) }),
  );
  const next = value?.next ?? null;
  return (
    <section aria-label={`Entries of ${shown.name}`}>
      <h2>
        {shown.name} <span class="count">of {operator}</span>
      </h2>
      <div class="line">
        <KeyForm shown={shown} onLook={(by, text) => setTrail([{ ...first, by, text }])} />
        <span class="spring" />
        <span class="quiet" role="status">
          {value !== null && pageText(value, trail.length)}
        </span>
        <button
          type="button"
          disabled={trail.length === 1}
          onClick={() => setTrail(trail.slice(0, -1))}
        >
          Previous page
        </button>
        <button
          type="button"
          disabled={next === null}
          onClick={() => setTrail([...trail, { ...look, after: next }])}
        >
          Next page
        </button>
      </div>
      {value === null ? (
        <Pending error={error} />
      ) : value.entries.length === 0 ? (
        <p class="hint">{next === null ? 'There is no such entry.' : 'None among these; go on.'}</p>
      ) : (
        <EntryRows entries={value.entries} />
      )}
      <EqualCalls
        rest={restOf(jid, checkpoint.id, look)}
        commandLine={commandLineOf(checkpoint.path, look)}
      />
    </section>
  );
}

/** Asks for a key, where the state has keys, or for the beginning of one. */
function KeyForm({
  shown: { keyTypes, kind },
  onLook,
}: {
  readonly shown: State;
  readonly onLook: (by: StateLook['by'], text: string) => void;
}) {
  const hasKeys = keyTypes.length > 0;
  const [by, setBy] = useState<StateLook['by']>(hasKeys ? 'key' : 'prefix');
  const [typed, setTyped] = useState('');
  if (!hasKeys && kind !== 'broadcast') return null;
  const lookUp = (event: Event): void => {
    event.preventDefault();
    onLook(by, typed);
  };
  return (
    <form class="keys" onSubmit={lookUp}>
      <select
        aria-label="How to look for keys"
        value={by}
        onChange={(event) => setBy(event.currentTarget.value as StateLook['by'])}
      >
        {hasKeys && <option value="key">Key is</option>}
        <option value="prefix">Key begins with</option>
      </select>
      <input
        type="search"
        class="search"
        aria-label="Key"
        placeholder={keyTypes.length > 1 ? '["ann", 1]' : (keyTypes[0] ?? '')}
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <button type="submit" class="primary">
        Look up
      </button>
    </form>
  );
}

function pageText({ entries, looked }: StateEntries, page: number): string {
  const found = `page ${page}, ${countOf(entries.length, 'entry').replace('entrys', 'entries')}`;
  return looked > entries.length ? `${found} of ${formatCount(looked)} looked at` : found;
}

function EntryRows({ entries }: { readonly entries: readonly Entry[] }) {
  const hasMore = entries.some(({ more }) => more !== undefined);
  return (
    <table class="rows entries">
      <TableHead
        columns={[
          'Key',
          ...(hasMore ? ['And'] : []),
          'Value',
          { number: 'Bytes' },
          { number: 'Key group' },
        ]}
      />
      <tbody>
        {entries.map(({ key, more, value, bytes, keyGroup }, index) => (
          <tr key={index}>
            <td class="path">{key === undefined ? NONE : <Data value={key} />}</td>
            {hasMore && <td class="path">{more !== undefined && <Data value={more} />}</td>}
            <td class="path">
              <Data value={value} />
            </td>
            <td class="number">{formatBytes(bytes)}</td>
            <td class="number">{keyGroup ?? NONE}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A key or a value: long ones open, cut ones say of how much they are the beginning. */
function Data({ value }: { readonly value: unknown }) {
  const { text, cut } = valueText(value);
  const mark = cut !== null && <span class="badge warn">the first of {formatBytes(cut)}</span>;
  if (text.length <= SHORT_CHARS) {
    return (
      <>
        <code>{text}</code> {mark}
      </>
    );
  }
  return (
    <details>
      <summary>
        <code>{text.slice(0, SHORT_CHARS)}…</code> {mark}
      </summary>
      <pre>{text}</pre>
    </details>
  );
}
