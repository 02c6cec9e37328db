/**
 * What the settings of recovery ask for, once a run is started: its restart strategy, and no contradictions. Callers:
 * `launch-run.ts`. Runs on: the caller's thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import type { RestartPolicy } from '../checkpoint/restart-strategy.js';
import type { Settings } from './settings.js';

/** The restart strategy that the settings ask for. */
export function restartPolicyOf(settings: Settings): RestartPolicy {
  const asked = settings['restartStrategy.type'];
  const takesCheckpoints = settings['execution.checkpointing.interval'] !== null;
  const type = asked !== 'auto' ? asked : takesCheckpoints ? 'exponentialDelay' : 'none';
  switch (type) {
    case 'fixedDelay':
      return {
        type,
        attempts: settings['restartStrategy.fixedDelay.attempts'],
        delayMs: settings['restartStrategy.fixedDelay.delay'],
      };
    case 'failureRate':
      return {
        type,
        maxFailuresPerInterval: settings['restartStrategy.failureRate.maxFailuresPerInterval'],
        failureRateIntervalMs: settings['restartStrategy.failureRate.failureRateInterval'],
        delayMs: settings['restartStrategy.failureRate.delay'],
      };
    case 'exponentialDelay':
      return {
        type,
        initialBackoffMs: settings['restartStrategy.exponentialDelay.initialBackoff'],
        maxBackoffMs: settings['restartStrategy.exponentialDelay.maxBackoff'],
        backoffMultiplier: settings['restartStrategy.exponentialDelay.backoffMultiplier'],
        resetBackoffThresholdMs: settings['restartStrategy.exponentialDelay.resetBackoffThreshold'],
        jitterFactor: settings['restartStrategy.exponentialDelay.jitterFactor'],
      };
    default:
      return { type: 'none' };
  }
}

/** Refuses settings that contradict each other or are not supported. Throws OPTION_INVALID, FEATURE_UNSUPPORTED. */
export function checkRecoverySettings(settings: Settings): void {
  if (settings['execution.stateRecovery.claimMode'] === 'legacy') {
    throw new MillraceError(
      'FEATURE_UNSUPPORTED',
      'The claim mode legacy leaves it open who deletes the snapshot, and Flink has given it up.',
      {
        advice:
          'Use noClaim, which leaves the snapshot to you, or claim, which gives it to the job.',
      },
    );
  }
  checkUnaligned(settings);
  const minPause = settings['execution.checkpointing.minPause'];
  const concurrent = settings['execution.checkpointing.maxConcurrentCheckpoints'];
  if (minPause === 0 || concurrent === 1) return;
  throw new MillraceError(
    'OPTION_INVALID',
    `execution.checkpointing.minPause is ${minPause} ms, so no more than one checkpoint is under ` +
      `way, but maxConcurrentCheckpoints is ${concurrent}.`,
    { advice: 'Set maxConcurrentCheckpoints to 1, or minPause to 0.' },
  );
}

/** A record that was overtaken is kept once, which says nothing where records may count twice. */
function checkUnaligned(settings: Settings): void {
  const timeoutMs = settings['execution.checkpointing.alignedCheckpointTimeout'];
  if (!settings['execution.checkpointing.unaligned.enabled']) {
    if (timeoutMs === 0) return;
    throw new MillraceError(
      'OPTION_INVALID',
      `execution.checkpointing.alignedCheckpointTimeout is ${timeoutMs} ms, after which nothing ` +
        'happens while checkpoints do not overtake.',
      { advice: 'Set execution.checkpointing.unaligned.enabled to true, or leave it out.' },
    );
  }
  const isExact = settings['execution.checkpointing.mode'] === 'exactlyOnce';
  const concurrent = settings['execution.checkpointing.maxConcurrentCheckpoints'];
  if (isExact && concurrent === 1) return;
  const reason = isExact
    ? `maxConcurrentCheckpoints is ${concurrent}, and barriers that overtake must not meet`
    : 'mode is atLeastOnce, in which no barrier waits for another';
  throw new MillraceError(
    'OPTION_INVALID',
    `execution.checkpointing.unaligned.enabled is true, but ${reason}.`,
    {
      advice: isExact
        ? 'Set maxConcurrentCheckpoints to 1.'
        : 'Set execution.checkpointing.mode to exactlyOnce, or leave unaligned checkpoints off.',
    },
  );
}
