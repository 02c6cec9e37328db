/**
 * The table of stable error codes. A code never changes its meaning; a new cause gets a new code here.
 * Callers: `errors.ts` and the generated documentation. Runs on: any thread.
 */

/** What the table says of one code. */
export interface ErrorCodeInfo {
  /** Whether the same attempt may succeed later without a change of program or configuration. */
  readonly retryable: boolean;
  /** What the code means, as one sentence. */
  readonly meaning: string;
}

const permanent = (meaning: string): ErrorCodeInfo => ({ retryable: false, meaning });
const passing = (meaning: string): ErrorCodeInfo => ({ retryable: true, meaning });

/** Every code, by name. */
export const ERROR_CODES = {
  ASSERTION: permanent('The engine contradicted itself; this is a defect of Millrace.'),

  // Configuration and options
  OPTION_UNKNOWN: permanent('An option or configuration key does not exist.'),
  OPTION_INVALID: permanent(
    'An option or configuration value is of the wrong type or out of range.',
  ),
  CONFIG_FILE_INVALID: permanent('A configuration file cannot be read or parsed.'),
  UNIT_INVALID: permanent('A duration or size string cannot be understood.'),

  // Building a job
  GRAPH_INVALID: permanent('The job graph is not a valid dataflow.'),
  GRAPH_EMPTY: permanent('The job has no sink, so it would compute nothing.'),
  FIELD_UNKNOWN: permanent('A field is named that the records do not have.'),
  TYPE_MISMATCH: permanent('An expression or aggregate is applied to a type it does not accept.'),
  FUNCTION_UNKNOWN: permanent('An expression calls a function that does not exist.'),
  KEY_UNSUPPORTED: permanent('A key has a type that cannot be hashed and compared by value.'),
  UID_DUPLICATE: permanent('Two operators of a job have the same uid.'),
  PARALLELISM_INVALID: permanent(
    'The parallelism asked for is impossible for this job or operator.',
  ),
  JOB_NOT_FOUND: permanent('No job of that name is defined by the module.'),
  JOB_NOT_IMPORTABLE: permanent(
    'The job cannot be imported by worker threads, so it cannot run in parallel.',
  ),
  JOB_MISMATCH: permanent('The job a worker rebuilt differs from the one that was submitted.'),
  FEATURE_UNSUPPORTED: permanent(
    'The feature is not available here; the message names the alternative.',
  ),

  // Loops
  LOOP_ENDED: permanent('A loop was given records to feed back after it had ended.'),

  // Records
  SCHEMA_CONFLICT: permanent('Records do not fit the declared schema.'),
  SCHEMA_REGISTRY_FULL: permanent('The inferred schemas of a job exceed the registry of its run.'),
  VALUE_UNSUPPORTED: permanent('A record holds a value that no column can carry.'),
  NUMBER_INEXACT: permanent('An integer sum left the range in which it is exact.'),
  NUMBER_OVERFLOW: permanent('An int64 or decimal calculation left the range of its type.'),
  CAST_FAILED: permanent('A value cannot be converted to the type an expression casts it to.'),
  FRAME_CORRUPT: permanent('The bytes of a frame contradict its directory.'),
  RECORD_TOO_LARGE: permanent('A record is larger than the network memory of the slot allows.'),

  // State
  STATE_NOT_RESTORED: permanent('A checkpoint has state that the job does not take up.'),
  STATE_CORRUPT: permanent('The bytes of a snapshot contradict their checksum or layout.'),
  STATE_INCOMPATIBLE: permanent('State was written with other key or value types than declared.'),
  STATE_WITHOUT_KEY: permanent('Keyed state is used while no record or timer is processed.'),
  STATE_READ_ONLY: permanent('Broadcast state is written where its copies would come to differ.'),
  CONTEXT_EXPIRED: permanent('The context of a process function is used after its call.'),

  // Checkpoints
  CHECKPOINT_NOT_FOUND: permanent('There is no checkpoint or savepoint at the path.'),
  CHECKPOINT_CORRUPT: permanent('A file of a checkpoint is damaged, incomplete or missing.'),
  CHECKPOINT_VERSION_UNSUPPORTED: permanent(
    'A checkpoint was written in a format that this version of Millrace does not know.',
  ),
  CHECKPOINT_FENCED: permanent(
    'A later attempt of the job, or another process, has taken over its checkpoints.',
  ),
  RUN_CORRUPT: permanent('A run file, which holds sorted state or records, is damaged.'),
  CHECKPOINT_IN_USE: permanent('A job still needs the snapshot in order to recover.'),
  CHECKPOINT_FAILED: passing('A checkpoint or savepoint could not be taken.'),
  RECORD_FAILED_REPEATEDLY: permanent(
    'The same record failed the job as often as the settings allow.',
  ),

  // Input and output
  FILE_NOT_FOUND: permanent('A path or glob matches no file.'),
  FILE_UNREADABLE: passing('A file cannot be opened or read.'),
  FILE_UNWRITABLE: passing('A file or directory cannot be created or written.'),
  OUTPUT_EXISTS: permanent(
    'The output directory already holds results and the policy is to refuse.',
  ),
  FORMAT_INVALID: permanent('A file does not have the format it should have.'),
  RESULT_TOO_LARGE: permanent('A collected result has more rows than its bound allows.'),
  BAD_RECORD: permanent('A record of the input cannot be parsed and the policy is to fail.'),
  CODEC_UNAVAILABLE: permanent('A compression is not available in this version of Node.'),
  SOURCE_FAILED: passing('A source threw while it was read.'),
  SINK_FAILED: passing('A sink threw while it was written.'),

  // Running
  TIMESTAMP_MISSING: permanent('A record has no event time where one is needed.'),
  USER_FUNCTION_FAILED: permanent('A function of the job threw.'),
  ASYNC_TIMEOUT: passing('An asynchronous function did not answer in time.'),
  TASK_STALLED: permanent('An operator did not return within the stall timeout.'),
  TASK_EXITED: permanent('A thread of the job ended by itself, for example by process.exit.'),
  MEMORY_BUDGET_TOO_SMALL: permanent('The plan does not fit the memory of its slots.'),
  MEMORY_EXHAUSTED: permanent('A slot used up its heap or managed memory.'),
  METRIC_INVALID: permanent('A metric has a bad name, or one that another type of metric has.'),
  METRICS_FULL: permanent('A subtask registers more metrics than its directory holds.'),
  JOB_CANCELED: permanent('The job was canceled.'),
  TEST_MISUSED: permanent('The test kit was used in a way that has no meaning.'),
  TEST_SEED_FAILED: permanent('A test failed under a seed, which the message tells.'),
  PROCESS_DIED: passing('The process that ran an isolated job ended unexpectedly.'),
} as const satisfies Record<string, ErrorCodeInfo>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;
