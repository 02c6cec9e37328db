/**
 * The newest of the log of a job, what becomes of it and what its functions log, or of what it has printed. Callers:
 * the page of a job. Runs on: the page's thread. Invariant: what a line holds is text.
 */
import { useContext, useMemo, useState } from 'preact/hooks';
import { LOG_LEVELS, type LogLevel } from '../base/function-log.js';
import { formatBytes } from './format.js';
import { AskContext, useAnswer, useClient } from './hooks.js';
import { hasEnded } from './job-action.js';
import { chosenLines, linesIn, type ShownLine } from './log-lines.js';
import { Pending, type TabProps } from './tab.js';
import { VirtualRows } from './virtual-rows.js';

/** Bytes of the end that are shown; all of it is one click away. */
const TAIL_BYTES = 256 * 1024;
const LINE_HEIGHT = 18;
/** Characters of a line in its row; all of it and what is behind it are in the tooltip. */
const ROW_CHARS_MAX = 2000;
const TITLE_CHARS_MAX = 8000;
/** Colours and other commands to terminals. */
const TERMINAL = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');
const LEVELS = LOG_LEVELS.filter((level) => level !== 'silent');

/** What is looked at. */
type Looked = 'log' | 'output';

export function LogsScreen(props: TabProps) {
  const { job, state } = props;
  const client = useClient();
  const [looked, setLooked] = useState<Looked>('log');
  const [search, setSearch] = useState('');
  const [least, setLeast] = useState<LogLevel>('trace');
  // Neither tells of itself, so it is asked for again while the job lives.
  const version = hasEnded(job.state) ? job.state : Math.floor(state.nowMs / 2000);
  const { value, error } = useAnswer(`${looked} ${job.jid}`, version, () => {
    const asked = { jobid: job.jid, tail: String(TAIL_BYTES) };
    return looked === 'log' ? client.jobLog(asked) : client.output(asked);
  });
  const lines = useMemo(
    () => (looked === 'log' ? linesIn(value ?? '') : printedLines(value ?? '')),
    [value, looked],
  );
  const shown = chosenLines(lines, looked === 'log' ? least : 'trace', search);
  const isCut = value !== null && value.length >= TAIL_BYTES;
  return (
    <div class="logs">
      <p class="line">
        <select
          aria-label="What to look at"
          value={looked}
          onChange={(event) => setLooked(event.currentTarget.value as Looked)}
        >
          <option value="log">Log</option>
          <option value="output">What it has printed</option>
        </select>
        {looked === 'log' && (
          <LevelChoice label="Only from this level on" value={least} onChoose={setLeast} />
        )}
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
          {isCut && (
            <code>
              millrace logs {job.jid}
              {looked === 'output' && ' --output'}
            </code>
          )}
        </span>
        <span class="spring" />
        {looked === 'log' && job.state === 'RUNNING' && <JobLevel {...props} />}
      </p>
      {value === null ? (
        <Pending error={error} />
      ) : lines.length === 0 ? (
        <p class="hint">{EMPTY[looked]}</p>
      ) : (
        <VirtualRows
          count={shown.length}
          rowHeight={LINE_HEIGHT}
          label="Log"
          followsEnd
          row={(index) => <Line key={index} line={shown[index]} />}
        />
      )}
    </div>
  );
}

const EMPTY: Readonly<Record<Looked, string>> = {
  log: 'Nothing is logged yet. What becomes of the job, and what its functions log, come here.',
  output: 'The job has printed nothing. What it prints, and warnings, come here.',
};

function Line({ line }: { readonly line: ShownLine | undefined }) {
  if (line === undefined) return null;
  const { level, text, detail } = line;
  return (
    <div class={`log-line ${level}`} role="row" title={detail.slice(0, TITLE_CHARS_MAX)}>
      {text.slice(0, ROW_CHARS_MAX)}
    </div>
  );
}

function printedLines(text: string): readonly ShownLine[] {
  const lines = text.replaceAll(TERMINAL, '').trimEnd().split('\n');
  const whole = text.length >= TAIL_BYTES ? lines.slice(1) : lines;
  if (text.trim() === '') return [];
  return whole.map((line) => ({ level: 'info', place: '', text: line, detail: '' }));
}

/** From which level on functions of the job log, changed once the equal calls were shown. */
function JobLevel({ job }: TabProps) {
  const client = useClient();
  const ask = useContext(AskContext);
  const askFor = (level: LogLevel): void =>
    ask({
      title: `Log from ${level} on?`,
      consequence: 'Functions of the job log from this level on, until the job has ended.',
      isDestructive: false,
      confirm: 'Change',
      rest: () => `PATCH /jobs/${job.jid}/log?level=${level}`,
      commandLine: () => `millrace logs ${job.jid} --level ${level}`,
      run: async () => {
        await client.jobLogLevel({ jobid: job.jid, level });
        return `Functions log from ${level} on.`;
      },
    });
  return <LevelChoice label="Have functions log from this level on" value="" onChoose={askFor} />;
}

function LevelChoice({
  label,
  value,
  onChoose,
}: {
  readonly label: string;
  /** Empty where it is not known. */
  readonly value: LogLevel | '';
  onChoose(level: LogLevel): void;
}) {
  return (
    <select
      aria-label={label}
      title={label}
      value={value}
      onChange={(event) => {
        const level = LEVELS.find((one) => one === event.currentTarget.value);
        if (level !== undefined) onChoose(level);
        if (value === '') event.currentTarget.value = '';
      }}
    >
      {value === '' && <option value="">Functions log from…</option>}
      {LEVELS.map((level) => (
        <option key={level} value={level}>
          {level}
        </option>
      ))}
    </select>
  );
}
