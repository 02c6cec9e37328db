/**
 * The page of a job: its name and state, what can be done to it, and the tab that the address names. Callers: the
 * shell. Runs on: the page's thread.
 */
import type { JobSummary } from '../rest/job-schemas.js';
import { CheckpointsScreen } from './checkpoints-screen.js';
import { ConfigScreen } from './config-screen.js';
import { EventsScreen } from './events-screen.js';
import { agoText, countOf, NONE, rateText, timeText, wholeDuration } from './format.js';
import { GraphScreen } from './graph-screen.js';
import { hasEnded } from './job-action.js';
import { JobActions } from './job-actions.js';
import type { LiveState } from './live.js';
import { LogsScreen } from './logs-screen.js';
import { MemoryScreen } from './memory-screen.js';
import { hrefOf, JOB_TABS, type JobTab, type Route } from './route.js';
import { StateBadge } from './state-badge.js';
import { StateScreen } from './state-screen.js';
import { Figure, type TabProps } from './tab.js';

type JobRoute = Extract<Route, { readonly page: 'job' }>;

const TITLES: Readonly<Record<JobTab, string>> = {
  graph: 'Graph',
  checkpoints: 'Checkpoints',
  state: 'State',
  memory: 'Memory',
  events: 'Events',
  logs: 'Logs',
  config: 'Configuration',
};

export function JobPage({ route, state }: { readonly route: JobRoute; readonly state: LiveState }) {
  const job = state.jobs.find(({ jid }) => jid === route.jid);
  if (job === undefined) return <NoSuchJob jid={route.jid} />;
  const version = state.changes.get(job.jid) ?? 0;
  return (
    <div class={`page job-${route.tab}`}>
      <JobHead job={job} state={state} />
      <nav class="tabs" aria-label="Parts of the job">
        {JOB_TABS.map((tab) => (
          <a
            key={tab}
            href={hrefOf({ page: 'job', jid: job.jid, tab, vertex: null })}
            aria-current={tab === route.tab ? 'page' : undefined}
          >
            {TITLES[tab]}
          </a>
        ))}
      </nav>
      <Tab route={route} job={job} state={state} version={version} />
    </div>
  );
}

function Tab({ route, ...props }: TabProps & { readonly route: JobRoute }) {
  switch (route.tab) {
    case 'graph':
      return <GraphScreen {...props} vertex={route.vertex} to={route.to ?? null} />;
    case 'checkpoints':
      return <CheckpointsScreen {...props} />;
    case 'state':
      return <StateScreen {...props} />;
    case 'memory':
      return <MemoryScreen {...props} />;
    case 'events':
      return <EventsScreen {...props} />;
    case 'logs':
      return <LogsScreen {...props} />;
    default:
      return <ConfigScreen {...props} />;
  }
}

function JobHead({ job, state }: { readonly job: JobSummary; readonly state: LiveState }) {
  const load = state.loads.get(job.jid);
  const isOver = hasEnded(job.state);
  const ranMs = isOver ? job.duration : Math.max(0, state.nowMs - job['start-time']);
  return (
    <header class="head">
      <div class="title">
        <a class="quiet" href={hrefOf({ page: 'jobs' })} aria-label="All jobs">
          ←
        </a>
        <h1>{job.name}</h1>
        <StateBadge state={job.state} />
        <code class="quiet id">{job.jid}</code>
        <span class="spring" />
        {!isOver && (
          <span class="actions">
            <JobActions
              jid={job.jid}
              name={job.name}
              state={job.state}
              only={['checkpoint', 'savepoint', 'rescale', 'stop', 'cancel']}
            />
          </span>
        )}
      </div>
      <dl class="figures">
        {!isOver && <Figure name="Records read" value={rateText(load?.recordsPerSecond ?? 0)} />}
        <Figure name="Tasks" value={tasksText(job)} />
        <Figure name="Last checkpoint" value={agoText(load?.checkpointed ?? null, state.nowMs)} />
        <Figure name="Restarts" value={String(load?.restarts ?? NONE)} />
        <Figure
          name={isOver ? 'Ran for' : 'Running for'}
          value={wholeDuration(ranMs)}
          title={`Submitted ${timeText(job['start-time'])}`}
        />
      </dl>
    </header>
  );
}

function tasksText({ state, tasks }: JobSummary): string {
  if (hasEnded(state)) return countOf(tasks.total, 'task');
  return `${tasks.running} of ${tasks.total} running`;
}

function NoSuchJob({ jid }: { readonly jid: string }) {
  return (
    <div class="empty">
      <h1>There is no such job</h1>
      <p>
        The server does not know <code>{jid}</code>. Ended jobs are forgotten when there are more
        than
        <code>--history</code> of them.
      </p>
      <p>
        <a href={hrefOf({ page: 'jobs' })}>See all jobs</a>
      </p>
    </div>
  );
}
