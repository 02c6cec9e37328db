/**
 * What each error code means, for `docs/error-codes.md` and whoever looks a code up: apart from the table in
 * `error-codes.ts`, because every thread of a run loads that and reads no prose. Callers: the documentation generator.
 * Runs on: any thread; pure.
 */
import type { ErrorCode } from './error-codes.js';

/** One sentence for every code. */
export const ERROR_MEANINGS: Readonly<Record<ErrorCode, string>> = {
  ASSERTION: 'The engine contradicted itself; this is a defect of Millrace.',

  // Configuration and options
  OPTION_UNKNOWN: 'An option or configuration key does not exist.',
  OPTION_INVALID: 'An option or configuration value is of the wrong type or out of range.',
  CONFIG_FILE_INVALID: 'A configuration file cannot be read or parsed.',
  UNIT_INVALID: 'A duration or size string cannot be understood.',

  // Building a job
  GRAPH_INVALID: 'The job graph is not a valid dataflow.',
  GRAPH_EMPTY: 'The job has no sink, so it would compute nothing.',
  FIELD_UNKNOWN: 'A field is named that the records do not have.',
  TYPE_MISMATCH: 'An expression or aggregate is applied to a type it does not accept.',
  FUNCTION_UNKNOWN: 'An expression calls a function that does not exist.',
  EXPRESSION_INVALID: 'A text that should say an expression cannot be read as one.',
  KEY_UNSUPPORTED: 'A key has a type that cannot be hashed and compared by value.',
  UID_DUPLICATE: 'Two operators of a job have the same uid.',
  PARALLELISM_INVALID: 'The parallelism asked for is impossible for this job or operator.',
  JOB_NOT_FOUND: 'No job of that name is defined by the module.',
  JOB_NOT_IMPORTABLE: 'The job cannot be imported by worker threads, so it cannot run in parallel.',
  JOB_MISMATCH: 'The job a worker rebuilt differs from the one that was submitted.',
  FEATURE_UNSUPPORTED: 'The feature is not available here; the message names the alternative.',

  // Loops
  LOOP_ENDED: 'A loop was given records to feed back after it had ended.',

  // Records
  SCHEMA_CONFLICT: 'Records do not fit the declared schema.',
  SCHEMA_REGISTRY_FULL: 'The inferred schemas of a job exceed the registry of its run.',
  VALUE_UNSUPPORTED: 'A record holds a value that no column can carry.',
  NUMBER_INEXACT: 'An integer sum left the range in which it is exact.',
  NUMBER_OVERFLOW: 'An int64 or decimal calculation left the range of its type.',
  CAST_FAILED: 'A value cannot be converted to the type an expression casts it to.',
  FRAME_CORRUPT: 'The bytes of a frame contradict its directory.',
  RECORD_TOO_LARGE: 'A record is larger than the memory that it has to fit into.',

  // State
  STATE_NOT_RESTORED: 'A checkpoint has state that the job does not take up.',
  STATE_NOT_FOUND: 'A checkpoint has no operator, state or key of that name.',
  STATE_CORRUPT: 'The bytes of a snapshot contradict their checksum or layout.',
  STATE_INCOMPATIBLE: 'State was written with other types than declared, and cannot be migrated.',
  STATE_WITHOUT_KEY: 'Keyed state is used while no record or timer is processed.',
  STATE_READ_ONLY: 'Broadcast state is written where its copies would come to differ.',
  STATE_UNREADABLE:
    'A server has not read state of a checkpoint within its bounds of time and memory.',
  CONTEXT_EXPIRED: 'The context of a process function is used after its call.',

  // Checkpoints
  CHECKPOINT_NOT_FOUND: 'There is no checkpoint or savepoint at the path.',
  CHECKPOINT_CORRUPT: 'A file of a checkpoint is damaged, incomplete or missing.',
  CHECKPOINT_VERSION_UNSUPPORTED:
    'A checkpoint was written in a format that this version of Millrace does not know.',
  CHECKPOINT_FENCED:
    'A later attempt of the job, or another process, has taken over its checkpoints.',
  RUN_CORRUPT: 'A run file, which holds sorted state or records, is damaged.',
  CHECKPOINT_IN_USE: 'A job still needs the snapshot in order to recover.',
  CHECKPOINT_FAILED: 'A checkpoint or savepoint could not be taken.',
  RESCALE_FAILED: 'A running job does not go on at another parallelism.',
  RECORD_FAILED_REPEATEDLY: 'The same record failed the job as often as the settings allow.',

  // Input and output
  FILE_NOT_FOUND: 'A path or glob matches no file.',
  FILE_UNREADABLE: 'A file cannot be opened or read.',
  FILE_UNWRITABLE: 'A file or directory cannot be created or written.',
  OUTPUT_EXISTS: 'The output directory already holds results and the policy is to refuse.',
  FORMAT_INVALID: 'A file does not have the format it should have.',
  RESULT_TOO_LARGE: 'A collected result has more rows than its bound allows.',
  BAD_RECORD: 'A record of the input cannot be parsed and the policy is to fail.',
  CODEC_UNAVAILABLE: 'A compression is not available in this version of Node.',
  SOURCE_FAILED: 'A source threw while it was read.',
  SINK_FAILED: 'A sink threw while it was written.',

  // Running
  TIMESTAMP_MISSING: 'A record has no event time where one is needed.',
  USER_FUNCTION_FAILED: 'A function of the job threw.',
  ASYNC_TIMEOUT: 'An asynchronous function did not answer in time.',
  TASK_STALLED: 'An operator did not return within the stall timeout.',
  TASK_EXITED: 'A thread of the job ended by itself, for example by process.exit.',
  MEMORY_BUDGET_TOO_SMALL: 'The plan does not fit the memory of its slots.',
  MEMORY_EXHAUSTED: 'A slot used up its heap or managed memory.',
  METRIC_INVALID: 'A metric has a bad name, or one that another type of metric has.',
  METRICS_FULL: 'A subtask registers more metrics than its directory holds.',
  REPORTER_FAILED: 'A metric reporter cannot report; no job is touched by it.',
  JOB_CANCELED: 'The job was canceled.',
  TEST_MISUSED: 'The test kit was used in a way that has no meaning.',
  TEST_SEED_FAILED: 'A test failed under a seed, which the message tells.',
  PROCESS_DIED: 'The process that ran an isolated job ended unexpectedly.',

  // Server
  SERVER_RUNNING: 'Another server has the data directory, or the address is taken.',
  SERVER_UNREACHABLE: 'There is no server at the address, or it does not answer.',
  NOT_LEADER: 'The server stands by; another one leads and is to be asked.',
  LEADERSHIP_LOST: 'Another server has taken over from this one, which ends.',
  ELECTION_FAILED: 'A server cannot take part in the choice of a leader.',
  SLOTS_EXHAUSTED: 'The server has fewer free slots than the job needs.',
  PLAN_TIMEOUT: 'The module of a job did not define it in time.',
  JOB_UNKNOWN: 'The server has no job of that id.',
  JOB_NOT_RUNNING: 'The job does not run, so it cannot do what it was asked for.',
  OPERATOR_UNKNOWN: 'A running job has no operator, chain or edge of that name.',
  TAP_UNAVAILABLE:
    'Records cannot be looked at there, or not now; the message says where they can.',
  PROFILE_UNAVAILABLE: 'What the threads of a process do cannot be looked at.',
  BUNDLE_UNKNOWN: 'The server has no bundle of that id.',
  BUNDLE_INVALID: 'An uploaded bundle cannot be run.',
  UPLOADS_DISABLED: 'The server takes no bundles.',
  TAPS_DISABLED: 'The server was started so that it shows no records of its jobs.',
  TRIGGER_UNKNOWN: 'The server knows no operation of that id, or no longer.',
  STORE_CORRUPT: 'A record of the job store is damaged.',
  REQUEST_INVALID: 'A request has unknown or wrong members.',
  REQUEST_TOO_LARGE: 'The body of a request exceeds its bound.',
  REQUEST_FORBIDDEN: 'A request lacks the token, or comes from a page of elsewhere.',
  PATH_UNKNOWN: 'The REST interface has no such path, or not with this verb.',
};
