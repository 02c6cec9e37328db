/**
 * What the paths of the server itself, of bundles and of operations under way take and give, with Flink's names.
 * Callers: `paths.ts`, the server's views, the client. Runs on: any thread; pure data.
 */
import {
  anything,
  boolean,
  integer,
  list,
  map,
  nullable,
  number,
  object,
  oneOf,
  text,
  type ValueOf,
} from './json-schema.js';
import { jobId, jobStatus } from './job-schemas.js';

const count = integer();
/** Of an operation under way; also chosen by the client, so that asking twice starts one. */
export const triggerId = text({ pattern: '^[0-9a-f]{32}$' });
const directory = text({ minLength: 1, maxLength: 4096 });

/** Nothing, as an empty object. */
export const nothing = object({});

export const overview = object({
  taskmanagers: count,
  'slots-total': count,
  'slots-available': count,
  'jobs-running': count,
  'jobs-finished': count,
  'jobs-cancelled': count,
  'jobs-failed': count,
  'flink-version': text(),
  'flink-commit': text(),
  'jobs-queued': count,
});

/** Whether a server leads. */
export const health = object({
  status: oneOf('leader', 'standby'),
  epoch: nullable(integer({ description: 'Of its term; null unless it leads.' })),
  leader: nullable(text({ description: 'Where the leader is, as far as it is known.' })),
});

export const dashboardConfig = object({
  'refresh-interval': count,
  'timezone-name': text(),
  'timezone-offset': count,
  'flink-version': text(),
  'flink-revision': text(),
  features: object({
    'web-submit': boolean,
    'web-cancel': boolean,
    'web-rescale': boolean,
    'web-history': boolean,
  }),
});

export const configEntries = list(object({ key: text(), value: text() }));

const resource = object({
  cpuCores: number,
  taskHeapMemory: count,
  taskOffHeapMemory: count,
  managedMemory: count,
  networkMemory: count,
  extendedResources: map(number),
});
const taskManagerFields = {
  id: text(),
  path: text(),
  dataPort: count,
  jmxPort: count,
  timeSinceLastHeartbeat: count,
  slotsNumber: count,
  freeSlots: count,
  assignedTasks: count,
  totalResource: resource,
  freeResource: resource,
  hardware: object({
    cpuCores: count,
    physicalMemory: count,
    freeMemory: count,
    managedMemory: count,
  }),
  memoryConfiguration: object({
    frameworkHeap: count,
    taskHeap: count,
    frameworkOffHeap: count,
    taskOffHeap: count,
    networkMemory: count,
    managedMemory: count,
    jvmMetaspace: count,
    jvmOverhead: count,
    totalFlinkMemory: count,
    totalProcessMemory: count,
  }),
};
const taskManager = object(taskManagerFields);
export const taskManagers = object({ taskmanagers: list(taskManager) });
export const taskManagerDetails = object({
  ...taskManagerFields,
  allocatedSlots: list(object({ jobId, resource, assignedTasks: count })),
  metrics: object({
    heapUsed: count,
    heapCommitted: count,
    heapMax: count,
    nonHeapUsed: count,
    nonHeapCommitted: count,
    nonHeapMax: count,
    directCount: count,
    directUsed: count,
    directMax: count,
    mappedCount: count,
    mappedUsed: count,
    mappedMax: count,
    nettyShuffleMemorySegmentsAvailable: count,
    nettyShuffleMemorySegmentsUsed: count,
    nettyShuffleMemorySegmentsTotal: count,
    nettyShuffleMemoryAvailable: count,
    nettyShuffleMemoryUsed: count,
    nettyShuffleMemoryTotal: count,
    garbageCollectors: list(object({ name: text(), count, time: count })),
  }),
});

export const environment = object({
  jvm: object({ version: text(), arch: text(), options: list(text()) }),
  classpath: list(text()),
});

/** Every job is an application of its own. */
export const applications = object({
  applications: list(
    object({
      id: jobId,
      name: text(),
      'start-time': count,
      'end-time': count,
      duration: count,
      status: jobStatus,
      jobs: map(count),
    }),
  ),
});

export const logFiles = object({
  logs: list(object({ name: text(), size: count, mtime: count })),
});

export const jarUpload = object({ filename: text(), status: oneOf('success') });
export const jarList = object({
  address: text(),
  files: list(
    object({
      id: text(),
      name: text(),
      uploaded: count,
      entry: list(object({ name: text(), description: nullable(text()) })),
    }),
  ),
});

/** Whose the savepoint is from now on; `restoreMode` is the older name. */
const claimMode = nullable(oneOf('CLAIM', 'NO_CLAIM', 'LEGACY'));
/** What a job is run, or planned, with. Flink's clients write null for what they leave out. */
const programFields = {
  entryClass: nullable(text({ minLength: 1, maxLength: 1024, description: 'Name of the job.' })),
  programArgsList: nullable(list(text({ maxLength: 65_536 }))),
  parallelism: nullable(integer({ minimum: 1, maximum: 32_768 })),
  jobId: nullable(jobId),
  flinkConfiguration: nullable(map(text({ maxLength: 65_536 }))),
  params: map(anything('A parameter of the job.')),
  baseDirectory: directory,
};
export const jarPlanRequest = object({}, programFields);
export const jarRunRequest = object(
  {},
  {
    ...programFields,
    allowNonRestoredState: nullable(boolean),
    savepointPath: nullable(directory),
    claimMode,
    restoreMode: claimMode,
  },
);
export const jarRun = object({ jobid: jobId });

const formatType = nullable(oneOf('CANONICAL', 'NATIVE', 'DEFAULT'));
export const savepointRequest = object(
  {},
  {
    'target-directory': nullable(directory),
    'cancel-job': nullable(boolean),
    formatType,
    triggerId: nullable(triggerId),
  },
);
export const stopRequest = object(
  {},
  {
    targetDirectory: nullable(directory),
    drain: nullable(boolean),
    formatType,
    triggerId: nullable(triggerId),
  },
);
export const checkpointRequest = object(
  {},
  {
    checkpointType: nullable(oneOf('CONFIGURED', 'FULL', 'INCREMENTAL')),
    triggerId: nullable(triggerId),
  },
);
export const disposalRequest = object(
  { 'savepoint-path': directory },
  { triggerId: nullable(triggerId) },
);
export const trigger = object({ 'request-id': triggerId });

const queueStatus = object({ id: oneOf('IN_PROGRESS', 'COMPLETED') });
const failure = object({ class: text(), 'stack-trace': text() });
/** A savepoint, a stop, or a disposal. */
export const operation = object(
  { status: queueStatus },
  { operation: object({}, { location: text(), 'failure-cause': failure }) },
);
export const checkpointOperation = object(
  { status: queueStatus },
  { operation: object({}, { checkpointId: count, 'failure-cause': failure }) },
);
/** Times are milliseconds: until the checkpoint was durable, and from then until all subtasks ran again. */
export const rescalingOperation = object(
  { status: queueStatus },
  {
    operation: object(
      {},
      {
        from: count,
        to: count,
        checkpoint: nullable(count),
        checkpointMs: number,
        restartMs: number,
        'failure-cause': failure,
      },
    ),
  },
);

const bound = integer({ minimum: 1, maximum: 32_768 });
/** By the id of a chain. */
export const resourceRequirements = map(
  object({ parallelism: object({ lowerBound: bound, upperBound: bound }) }),
);

/** What every error is answered with. */
export const errors = object(
  { errors: list(text()) },
  { code: nullable(text()), message: text(), advice: nullable(text()) },
);

export type TaskManager = ValueOf<typeof taskManager>;
export type ResourceRequirements = ValueOf<typeof resourceRequirements>;
export type Health = ValueOf<typeof health>;
export type TaskManagerDetails = ValueOf<typeof taskManagerDetails>;
export type Environment = ValueOf<typeof environment>;
export type JarPlanRequest = ValueOf<typeof jarPlanRequest>;
export type JarRunRequest = ValueOf<typeof jarRunRequest>;
export type OperationStatus = ValueOf<typeof operation>;
export type RestErrors = ValueOf<typeof errors>;
