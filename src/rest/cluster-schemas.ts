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
import { jobId } from './job-schemas.js';

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
const taskManager = object({
  id: text(),
  path: text(),
  dataPort: count,
  jmxPort: count,
  timeSinceLastHeartbeat: count,
  slotsNumber: count,
  freeSlots: count,
  totalResource: resource,
  freeResource: resource,
  hardware: object({
    cpuCores: count,
    physicalMemory: count,
    freeMemory: count,
    managedMemory: count,
  }),
  memoryConfiguration: map(anything('Bytes by their purpose.')),
});
export const taskManagers = object({ taskmanagers: list(taskManager) });

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

/** What a job is run, or planned, with. */
const programFields = {
  entryClass: text({ minLength: 1, maxLength: 1024, description: 'Name of the job.' }),
  programArgsList: list(text({ maxLength: 65_536 })),
  parallelism: integer({ minimum: 1, maximum: 32_768 }),
  jobId,
  flinkConfiguration: map(text({ maxLength: 65_536 })),
  params: map(anything('A parameter of the job.')),
  baseDirectory: directory,
};
export const jarPlanRequest = object({}, programFields);
export const jarRunRequest = object(
  {},
  {
    ...programFields,
    allowNonRestoredState: boolean,
    savepointPath: directory,
  },
);
export const jarRun = object({ jobid: jobId });

const formatType = oneOf('CANONICAL', 'NATIVE', 'DEFAULT');
export const savepointRequest = object(
  {},
  {
    'target-directory': nullable(directory),
    'cancel-job': boolean,
    formatType,
    triggerId,
  },
);
export const stopRequest = object(
  {},
  { targetDirectory: nullable(directory), drain: boolean, formatType, triggerId },
);
export const checkpointRequest = object(
  {},
  { checkpointType: oneOf('CONFIGURED', 'FULL', 'INCREMENTAL'), triggerId },
);
export const disposalRequest = object({ 'savepoint-path': directory }, { triggerId });
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

/** What every error is answered with. */
export const errors = object(
  { errors: list(text()) },
  { code: nullable(text()), message: text(), advice: nullable(text()) },
);

export type TaskManager = ValueOf<typeof taskManager>;
export type JarRunRequest = ValueOf<typeof jarRunRequest>;
export type OperationStatus = ValueOf<typeof operation>;
export type RestErrors = ValueOf<typeof errors>;
