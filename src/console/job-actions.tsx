/**
 * The buttons for what can be done to a job. Callers: the list of jobs, the page of a job. Runs on: the page's thread.
 */
import { useState } from 'preact/hooks';
import type { JobStatus } from '../rest/job-schemas.js';
import { ActionDialog } from './action-dialog.js';
import { useClient } from './hooks.js';
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
  const [asked, setAsked] = useState<JobAction | null>(null);
  return (
    <>
      {JOB_ACTIONS.filter((action) => only.includes(action.name)).map((action) => (
        <button
          key={action.name}
          type="button"
          class={action.name === 'cancel' ? 'danger' : ''}
          disabled={!isPossible(action, state)}
          aria-label={`${action.label} ${name}`}
          onClick={() => setAsked(action)}
        >
          {action.label}
        </button>
      ))}
      {asked !== null && (
        <ActionDialog
          question={{
            title: `${asked.label} “${name}”?`,
            consequence: asked.consequence,
            isDestructive: asked.isDestructive,
            confirm: asked.label,
            rest: asked.rest(jid),
            commandLine: asked.commandLine(jid),
            run: () => asked.run(client, jid),
          }}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}
