/**
 * The newest of what a job has printed. Callers: the page of a job. Runs on: the page's thread.
 */
import { useState } from 'preact/hooks';
import { formatBytes } from './format.js';
import { useAnswer, useClient } from './hooks.js';
import { hasEnded } from './job-action.js';
import { Pending, type TabProps } from './tab.js';
import { VirtualRows } from './virtual-rows.js';

/** Bytes of the end that are shown; all of it is one click away. */
const TAIL_BYTES = 256 * 1024;
const LINE_HEIGHT = 18;
/** Colours and other commands to terminals. */
const TERMINAL = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');

export function LogsScreen({ job, state }: TabProps) {
  const client = useClient();
  const [search, setSearch] = useState('');
  // What is printed tells of itself nowhere, so it is asked for again while the job lives.
  const version = hasEnded(job.state) ? job.state : Math.floor(state.nowMs / 2000);
  const { value, error } = useAnswer(`logs ${job.jid}`, version, () =>
    client.output({ jobid: job.jid, tail: String(TAIL_BYTES) }),
  );
  if (value === null) return <Pending error={error} />;
  const isCut = value.length >= TAIL_BYTES;
  const words = search.toLowerCase();
  const lines = value
    .replaceAll(TERMINAL, '')
    .trimEnd()
    .split('\n')
    .slice(isCut ? 1 : 0);
  const shown = lines.filter((line) => line.toLowerCase().includes(words));
  if (value.trim() === '') {
    return (
      <p class="hint">The job has printed nothing. What it prints, and warnings, come here.</p>
    );
  }
  return (
    <div class="logs">
      <p class="line">
        <input
          type="search"
          class="search"
          placeholder="Only lines with this text"
          aria-label="Only lines with this text"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <span class="quiet">
          {shown.length} of {lines.length} lines
          {isCut && `, the last ${formatBytes(TAIL_BYTES)}; all: `}
          {isCut && <code>millrace logs {job.jid}</code>}
        </span>
      </p>
      <VirtualRows
        count={shown.length}
        rowHeight={LINE_HEIGHT}
        label="Log"
        followsEnd
        row={(index) => (
          <div class="log-line" role="row" key={index}>
            {shown[index]}
          </div>
        )}
      />
    </div>
  );
}
