/**
 * The settings that say how metrics are called where there are no labels, checked. Callers: whoever has metrics
 * reported. Runs on: the caller's thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { METRIC_SCOPES, type MetricScopeName } from '../metrics/metric-point.js';
import type { ScopeFormats } from '../reporters/scope-formats.js';
import type { Settings } from './settings.js';

const OF_PROCESS = ['host', 'tm_id'];
const OF_JOB = ['job_id', 'job_name'];
const OF_TASK = [
  ...OF_PROCESS,
  ...OF_JOB,
  'task_id',
  'task_name',
  'task_attempt_num',
  'subtask_index',
];

/** The variables of each scope. */
const VARIABLES: Readonly<Record<MetricScopeName, readonly string[]>> = {
  jm: ['host'],
  jmJob: ['host', ...OF_JOB],
  tm: OF_PROCESS,
  tmJob: [...OF_PROCESS, ...OF_JOB],
  task: OF_TASK,
  operator: [...OF_TASK, 'operator_id', 'operator_name'],
};

/** The format of each scope. Throws OPTION_INVALID for a variable that the scope has not. */
export function scopeFormatsOf(settings: Settings): ScopeFormats {
  for (const scope of METRIC_SCOPES) {
    const key = `metrics.scope.${scope}` as const;
    const known = VARIABLES[scope];
    for (const [, variable = ''] of settings[key].matchAll(/<(.*?)>/g)) {
      if (known.includes(variable)) continue;
      throw new MillraceError('OPTION_INVALID', `${key} names <${variable}>, which there is not.`, {
        advice: didYouMean(variable, known),
      });
    }
  }
  return {
    jm: settings['metrics.scope.jm'],
    jmJob: settings['metrics.scope.jmJob'],
    tm: settings['metrics.scope.tm'],
    tmJob: settings['metrics.scope.tmJob'],
    task: settings['metrics.scope.task'],
    operator: settings['metrics.scope.operator'],
  };
}
