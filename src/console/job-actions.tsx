/**
 * The buttons for what can be done to a job. Callers: the list of jobs, the page of a job. Runs on: the page's thread.
 */
import { useContext } from 'preact/hooks';
import type { JobStatus } from '../rest/job-schemas.js';
import { AskContext, useClient } from './hooks.js';
import { isPossible, JOB_ACTIONS, type JobAction } from './job-action.js';

export function JobActions({
  jid,
  name,
  state,
  only,
}: {
  readonly jid: string;
  readonly name: string;
  readonly state: JobStatus;
  readonly only: readonly JobAction['name'][];
}) {
  const client = useClient();
  const ask = useContext(AskContext);
  const askFor = (action: JobAction): void =>
    ask({
      title: `${action.label} “${name}”?`,
      consequence: action.consequence,
      isDestructive: action.isDestructive,
      confirm: action.label,
      ...(action.number === undefined ? {} : { number: action.number }),
      rest: (number) => action.rest(jid, number),
      commandLine: (number) => action.commandLine(jid, number),
      run: (number) => action.run(client, jid, number),
    });
  return (
    <>
      {JOB_ACTIONS.filter((action) => only.includes(action.name)).map((action) => (
        <button
          key={action.name}
          type="button"
          class={action.name === 'cancel' ? 'danger' : ''}
          disabled={!isPossible(action, state)}
          aria-label={`${action.label} ${name}`}
          onClick={() => askFor(action)}
        >
          {action.label}
        </button>
      ))}
    </>
  );
}
