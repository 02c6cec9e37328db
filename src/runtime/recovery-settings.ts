/**
 * The settings of checkpoints, recovery and restarts: rows of the table in `settings.ts`, with Flink's names. Callers:
 * `settings.ts`. Runs on: any thread; pure.
 */
import { choice, count, duration, number, OFF, PATH } from './setting-kinds.js';
import type { SettingDefinition } from './settings.js';

/** The rows. The first choice is the default. */
export const RECOVERY_SETTINGS = {
  'execution.checkpointing.interval': duration(null, 10),
  'execution.checkpointing.mode': choice('exactlyOnce', 'atLeastOnce'),
  'execution.checkpointing.dir': PATH,
  'execution.checkpointing.savepointDir': PATH,
  'execution.checkpointing.maxDirectorySize': {
    type: 'bytes',
    default: null,
    min: 1,
    max: 2 ** 50,
  },
  'execution.checkpointing.incremental': OFF,
  'execution.checkpointing.unaligned.enabled': OFF,
  'execution.checkpointing.alignedCheckpointTimeout': duration(0),
  'execution.checkpointing.timeout': duration('10min', 1),
  'execution.checkpointing.minPause': duration(0),
  'execution.checkpointing.maxConcurrentCheckpoints': count(1, 1, 4),
  'execution.checkpointing.tolerableFailedCheckpoints': count(0),
  'execution.checkpointing.numRetained': count(1, 1, 10_000),
  'execution.checkpointing.externalizedCheckpointRetention': choice(
    'noExternalizedCheckpoints',
    'deleteOnCancellation',
    'retainOnCancellation',
  ),
  'execution.checkpointing.fsync': choice('always', 'never'),
  'execution.stateRecovery.path': PATH,
  'execution.stateRecovery.ignoreUnclaimedState': OFF,
  'execution.stateRecovery.claimMode': choice('noClaim', 'claim', 'legacy'),
  'execution.stateRecovery.ifFinished': choice('nothing', 'anew'),
  'restartStrategy.type': choice('auto', 'none', 'fixedDelay', 'failureRate', 'exponentialDelay'),
  'restartStrategy.fixedDelay.attempts': count(1),
  'restartStrategy.fixedDelay.delay': duration('1s'),
  'restartStrategy.failureRate.maxFailuresPerInterval': count(1),
  'restartStrategy.failureRate.failureRateInterval': duration('1min', 1),
  'restartStrategy.failureRate.delay': duration('1s'),
  'restartStrategy.exponentialDelay.initialBackoff': duration('1s', 1),
  'restartStrategy.exponentialDelay.maxBackoff': duration('1min', 1),
  'restartStrategy.exponentialDelay.backoffMultiplier': number(1.5, 1, 100),
  'restartStrategy.exponentialDelay.resetBackoffThreshold': duration('1h', 1),
  'restartStrategy.exponentialDelay.jitterFactor': number(0.1, 0, 1),
  'restartStrategy.sameRecordFailures': count(0),
} as const satisfies Record<string, SettingDefinition>;
