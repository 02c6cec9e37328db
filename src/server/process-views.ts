/**
 * The processes of jobs as REST shows them: what Flink calls TaskManagers, and the environment they and the server run
 * in. Callers: the handlers. Runs on: the server's thread; pure but for what the machine says of itself.
 */
import { arch, cpus, freemem, hostname, totalmem } from 'node:os';
import type { Environment, TaskManager, TaskManagerDetails } from '../rest/cluster-schemas.js';
import { slotsOf } from './job-record.js';
import type { ServedJob } from './served-job.js';

/** The process of a job; none for one that waits or has ended. */
export function taskManager(job: ServedJob, nowMs: number): readonly TaskManager[] {
  const { pid, plan, id } = job.record;
  if (pid === null || plan === null) return [];
  const slots = slotsOf(plan);
  const memory = memoryOf(job, slots);
  return [
    {
      id,
      path: `process://${hostname()}/${pid}`,
      dataPort: -1,
      jmxPort: -1,
      timeSinceLastHeartbeat: nowMs,
      slotsNumber: slots,
      freeSlots: 0,
      assignedTasks: tasksOf(job),
      totalResource: resource(memory, slots),
      freeResource: resource(NO_MEMORY, 0),
      hardware: {
        cpuCores: cpus().length,
        physicalMemory: totalmem(),
        freeMemory: freemem(),
        managedMemory: memory.managed,
      },
      memoryConfiguration: {
        frameworkHeap: 0,
        taskHeap: memory.heap,
        frameworkOffHeap: 0,
        taskOffHeap: 0,
        networkMemory: memory.network,
        managedMemory: memory.managed,
        jvmMetaspace: 0,
        jvmOverhead: 0,
        totalFlinkMemory: memory.total,
        totalProcessMemory: memory.total,
      },
    },
  ];
}

/** The same with its slots, and what the process takes now. */
export function taskManagerDetails(job: ServedJob, nowMs: number): readonly TaskManagerDetails[] {
  const { id, plan } = job.record;
  const usage = job.metrics()?.process;
  return taskManager(job, nowMs).map((manager) => ({
    ...manager,
    allocatedSlots: Array.from({ length: manager.slotsNumber }, (_, slot) => ({
      jobId: id,
      resource: resource(memoryOf(job, 1), 1),
      // A slot holds a subtask of every chain that has as many.
      assignedTasks: (plan?.vertices ?? []).filter(({ parallelism }) => parallelism > slot).length,
    })),
    metrics: {
      ...NO_USAGE,
      heapUsed: usage?.heapUsedBytes ?? 0,
      heapCommitted: usage?.heapCommittedBytes ?? 0,
      heapMax: usage?.heapMaxBytes ?? 0,
      nonHeapUsed: usage?.externalBytes ?? 0,
      nonHeapCommitted: usage?.externalBytes ?? 0,
      directUsed: usage?.bufferBytes ?? 0,
    },
  }));
}

/** What the server and its jobs run on, in Flink's words for it. */
export function environment(): Environment {
  const { node, v8 } = process.versions;
  return {
    jvm: { version: `Node.js ${node} (V8 ${v8})`, arch: arch(), options: [...process.execArgv] },
    classpath: [],
  };
}

const MIB = 1024 ** 2;

interface SlotMemory {
  readonly total: number;
  readonly heap: number;
  readonly managed: number;
  readonly network: number;
}

const NO_MEMORY: SlotMemory = { total: 0, heap: 0, managed: 0, network: 0 };

/** Bytes of some slots by their purpose. */
function memoryOf({ record }: ServedJob, slots: number): SlotMemory {
  const { settings } = record.submission;
  const total = settings['slot.memory'] * slots;
  const network = Math.round(total * settings['slot.networkFraction']);
  const managed = Math.round(total * settings['slot.managedFraction']);
  return { total, heap: total - network - managed, managed, network };
}

/** In megabytes, as Flink has it. */
function resource({ heap, managed, network }: SlotMemory, cores: number) {
  return {
    cpuCores: cores,
    taskHeapMemory: Math.round(heap / MIB),
    taskOffHeapMemory: 0,
    managedMemory: Math.round(managed / MIB),
    networkMemory: Math.round(network / MIB),
    extendedResources: {},
  };
}

function tasksOf(job: ServedJob): number {
  return (job.record.plan?.vertices ?? []).reduce((sum, vertex) => sum + vertex.parallelism, 0);
}

/** What has no counterpart here. */
const NO_USAGE = {
  nonHeapMax: -1,
  directCount: 0,
  directMax: 0,
  mappedCount: 0,
  mappedUsed: 0,
  mappedMax: 0,
  nettyShuffleMemorySegmentsAvailable: 0,
  nettyShuffleMemorySegmentsUsed: 0,
  nettyShuffleMemorySegmentsTotal: 0,
  nettyShuffleMemoryAvailable: 0,
  nettyShuffleMemoryUsed: 0,
  nettyShuffleMemoryTotal: 0,
  garbageCollectors: [],
};
