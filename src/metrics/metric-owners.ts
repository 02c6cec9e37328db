/**
 * Numbers of those who own metrics in a chain: an operator goes by its index, its source and sinks by these. Callers:
 * the slot builder, the snapshot of metrics. Runs on: any thread; apart, so that slots load nothing else with it.
 */

/** The source. */
export const SOURCE_OWNER = -1;
/** Sink 0; each further one is one less. */
export const FIRST_SINK_OWNER = -2;
