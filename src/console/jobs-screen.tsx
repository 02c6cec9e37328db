/**
 * All jobs: those that live first, each with its state, rate, last checkpoint and restarts, and what can be done to it.
 * Callers: the shell. Runs on: the page's thread.
 */
import { useState } from 'preact/hooks';
import type { JobSummary } from '../rest/job-schemas.js';
import { agoText, countOf, NONE, rateText, timeText, wholeDuration } from './format.js';
import { hasEnded } from './job-action.js';
import { JobActions } from './job-actions.js';
import type { LiveState } from './live.js';
import { hrefOf } from './route.js';
import { Sparkline } from './sparkline.js';
import { StateBadge } from './state-badge.js';
import { TableHead } from './table-head.js';

/** From so many jobs on they can be searched. */
const SEARCH_FROM = 8;

export function JobsScreen({ state }: { readonly state: LiveState }) {
  const [search, setSearch] = useState('');
  const { jobs } = state;
  if (jobs.length === 0) return <NoJobs />;
  const words = search.toLowerCase();
  const shown = jobs.filter(({ name, jid }) => `${name} ${jid}`.toLowerCase().includes(words));
  const live = shown.filter((job) => !hasEnded(job.state));
  const ended = shown.filter((job) => hasEnded(job.state));
  return (
    <div class="page">
      {jobs.length >= SEARCH_FROM && (
        <input
          type="search"
          class="search"
          placeholder="Find a job by its name or id"
          aria-label="Find a job by its name or id"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <section>
        <h1>
          Live jobs <span class="count">{live.length}</span>
        </h1>
        {live.length === 0 ? (
          <p class="hint">None. The ones below have ended.</p>
        ) : (
          <LiveTable jobs={live} state={state} />
        )}
      </section>
      {ended.length > 0 && (
        <section>
          <h1>
            Ended jobs <span class="count">{ended.length}</span>
          </h1>
          <EndedTable jobs={ended} state={state} />
        </section>
      )}
    </div>
  );
}

function NoJobs() {
  return (
    <div class="empty">
      <h1>No job yet</h1>
      <p>
        <a href={hrefOf({ page: 'submit' })}>Submit a bundle</a> here, or from a terminal:
      </p>
      <pre>millrace run job.ts --server {location.host} --detached</pre>
    </div>
  );
}

function jobHref(jid: string): string {
  return hrefOf({ page: 'job', jid, tab: 'graph', vertex: null });
}

function NameCell({ job }: { readonly job: JobSummary }) {
  return (
    <th scope="row" class="name">
      <a href={jobHref(job.jid)}>{job.name}</a>
      <code class="quiet" title={job.jid}>
        {job.jid.slice(0, 8)}
      </code>
    </th>
  );
}

function LiveTable({ jobs, state }: { readonly jobs: readonly JobSummary[]; state: LiveState }) {
  return (
    <table class="rows">
      <TableHead
        columns={[
          'Name',
          'State',
          'Tasks',
          { number: 'Records read' },
          'Last minute',
          { number: 'Last checkpoint' },
          { number: 'Restarts' },
          { number: 'Running for' },
          { hidden: 'Actions' },
        ]}
      />
      <tbody>
        {jobs.map((job) => (
          <LiveRow key={job.jid} job={job} state={state} />
        ))}
      </tbody>
    </table>
  );
}

function LiveRow({ job, state }: { readonly job: JobSummary; readonly state: LiveState }) {
  const load = state.loads.get(job.jid);
  const rate = rateText(load?.recordsPerSecond ?? 0);
  const { total, running } = job.tasks;
  return (
    <tr>
      <NameCell job={job} />
      <td>
        <StateBadge state={job.state} />
      </td>
      <td>
        {running} of {total} <span class="quiet">running</span>
      </td>
      <td class="number">{rate}</td>
      <td>
        <Sparkline values={state.rates.get(job.jid) ?? []} label={`Reads ${rate}`} />
      </td>
      <td class="number">{agoText(load?.checkpointed ?? null, state.nowMs)}</td>
      <td class={`number ${(load?.restarts ?? 0) > 0 ? 'warn' : ''}`}>{load?.restarts ?? NONE}</td>
      <td class="number">{wholeDuration(Math.max(0, state.nowMs - job['start-time']))}</td>
      <td class="actions">
        <JobActions
          jid={job.jid}
          name={job.name}
          state={job.state}
          only={['savepoint', 'stop', 'cancel']}
        />
      </td>
    </tr>
  );
}

function EndedTable({ jobs, state }: { readonly jobs: readonly JobSummary[]; state: LiveState }) {
  return (
    <table class="rows">
      <TableHead columns={['Name', 'State', 'Tasks', { number: 'Ran for' }, { number: 'Ended' }]} />
      <tbody>
        {jobs.map((job) => (
          <tr key={job.jid}>
            <NameCell job={job} />
            <td>
              <StateBadge state={job.state} />
            </td>
            <td>{countOf(job.tasks.total, 'task')}</td>
            <td class="number">{wholeDuration(job.duration)}</td>
            <td class="number" title={timeText(job['end-time'])}>
              {agoText(job['end-time'], state.nowMs)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
