/**
 * Asks before something is done, and shows the REST call and the command line that do the same; then what has come of
 * it. Callers: the screens. Runs on: the page's thread.
 */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { describeError } from '../base/errors.js';
import type { AskedNumber } from './job-action.js';

/** What is asked. */
export interface Question {
  readonly title: string;
  readonly consequence: string;
  readonly isDestructive: boolean;
  readonly confirm: string;
  /** Absent where nothing has to be chosen: then the number is given as an empty text. */
  readonly number?: AskedNumber;
  rest(number: string): string;
  /** Null where the command line has nothing like it. */
  readonly commandLine: ((number: string) => string) | null;
  /** What has come of it. */
  run(number: string): Promise<string>;
}

type Stage =
  | { readonly name: 'asked' | 'running' }
  | { readonly name: 'done' | 'failed'; readonly text: string };

/** The dialog; Escape and a click beside it leave everything as it is. */
export function ActionDialog({
  question,
  onClose,
}: {
  readonly question: Question;
  readonly onClose: () => void;
}) {
  const place = useRef<HTMLDialogElement>(null);
  const [stage, setStage] = useState<Stage>({ name: 'asked' });
  const { title, consequence, isDestructive, confirm, number, rest, commandLine } = question;
  const [chosen, setChosen] = useState('');
  // Until something is chosen, its place is shown.
  const shown = number === undefined || chosen !== '' ? chosen : '…';
  useLayoutEffect(() => place.current?.showModal(), []);
  const run = (event: Event): void => {
    event.preventDefault();
    setStage({ name: 'running' });
    question.run(chosen).then(
      (text) => setStage({ name: 'done', text }),
      (error: unknown) => setStage({ name: 'failed', text: describeError(error) }),
    );
  };
  const isAsked = stage.name === 'asked';
  return (
    <dialog ref={place} onClose={onClose} aria-labelledby="question">
      <form onSubmit={run}>
        <h2 id="question">{title}</h2>
        <p>{consequence}</p>
        {number !== undefined && (
          <NumberChoice number={number} value={chosen} isOpen={isAsked} onChoose={setChosen} />
        )}
        <EqualCalls rest={rest(shown)} commandLine={commandLine?.(shown) ?? null} />
        {'text' in stage && (
          <p class={stage.name === 'failed' ? 'outcome bad' : 'outcome'} role="status">
            {stage.text}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={() => place.current?.close()} autofocus>
            {isAsked ? 'Leave it' : 'Close'}
          </button>
          {(isAsked || stage.name === 'running') && (
            <button
              type="submit"
              class={isDestructive ? 'danger' : 'primary'}
              disabled={stage.name === 'running'}
            >
              {stage.name === 'running' ? 'Under way…' : confirm}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

function NumberChoice({
  number,
  value,
  isOpen,
  onChoose,
}: {
  readonly number: AskedNumber;
  readonly value: string;
  readonly isOpen: boolean;
  readonly onChoose: (value: string) => void;
}) {
  return (
    <label class="choice">
      {number.label}
      <input
        type="number"
        required
        min={number.least}
        max={number.most}
        step={1}
        value={value}
        disabled={!isOpen}
        onInput={(event) => onChoose(event.currentTarget.value)}
      />
    </label>
  );
}

/** The calls that do the same. */
export function EqualCalls({ rest, commandLine }: { rest: string; commandLine: string | null }) {
  return (
    <dl class="equal wide">
      <dt>REST</dt>
      <dd>
        <pre>{rest}</pre>
      </dd>
      {commandLine !== null && <dt>Command line</dt>}
      {commandLine !== null && (
        <dd>
          <pre>{commandLine}</pre>
        </dd>
      )}
    </dl>
  );
}
