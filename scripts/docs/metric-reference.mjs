/** `docs/metric-reference.md`: every metric of the engine, from the tables that measure jobs, processes and servers. */
import { code, GENERATED, page, table } from '../lib/markdown.mjs';

function options(table_) {
  return table(
    ['Option', 'Type', 'Default'],
    Object.entries(table_).map(([name, option]) => [
      code(name),
      option.type === 'choice' ? option.choices.map(code).join(', ') : option.type,
      option.default === null
        ? 'to be given'
        : option.default === ''
          ? ''
          : code(String(option.default)),
    ]),
  );
}

function factoryOf({ FACTORY_CLASSES }, type) {
  return Object.entries(FACTORY_CLASSES).find(([, of]) => of === type)?.[0];
}

/** One that Flink does not have has no class. */
function factoryLines(sources, type) {
  const factory = factoryOf(sources, type);
  return factory === undefined ? [] : [`Also known as \`factory.class\` \`${factory}\`.`];
}

export function metricReferencePage(sources) {
  const part = (metrics, meanings) =>
    table(
      ['Metric', 'Type', 'Meaning'],
      Object.entries(metrics).map(([name, { type }]) => [code(name), type, meanings[name]]),
    );
  return page(
    '# Metric reference',
    GENERATED,
    'Every metric of the engine, under the name that Flink gives it where Flink has it. [Metrics](metrics.md) tells how they ' +
      'are looked at, and how functions of a job add their own. A name for Prometheus begins with `flink_` and the scope, ' +
      'with `_` in the place of dots; a `text` is shown by REST only.',
    '## Of subtasks',
    'Scope `taskmanager.job.task`, variables `host`, `tm_id`, `job_id`, `job_name`, `task_id`, `task_name`, ' +
      '`task_attempt_num`, `subtask_index`. A chain of operators is one task. Metrics of functions have the scope ' +
      '`taskmanager.job.task.operator` and, besides, `operator_id`, `operator_name` and the variables of their groups.',
    part(sources.TASK_METRICS, sources.TASK_MEANINGS),
    '## Of jobs',
    'Scope `jobmanager.job`, variables `host`, `job_id`, `job_name`.',
    part(sources.JOB_METRICS, sources.JOB_MEANINGS),
    '## Of processes',
    'Scope `taskmanager`, variables `host` and `tm_id`, for the process of a job, which has the id of its job; scope ' +
      '`jobmanager`, variable `host`, for a server.',
    part(sources.PROCESS_METRICS, sources.PROCESS_MEANINGS),
    '## Of servers',
    'Scope `jobmanager`, variable `host`.',
    part(sources.SERVER_METRICS, sources.SERVER_MEANINGS),
    '## Of reporters',
    'Scope `jobmanager.reporter.<name>`, variables `host` and `reporter`: the counters `numReports`, `numReportsFailed`, and ' +
      '`numReportsDropped` for reports that came due while the one before was under way.',
    '## Options of reporters',
    'Of every reporter, as `metrics.reporter.<name>.<option>`, beside its `type`:',
    options(sources.COMMON_OPTIONS),
    ...Object.entries(sources.REPORTER_OPTIONS).flatMap(([type, own]) => [
      `### ${type}`,
      ...factoryLines(sources, type),
      options(own),
    ]),
  );
}
