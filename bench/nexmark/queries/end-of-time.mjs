/**
 * The event time of a timer that fires when the input has ended: what an updating query has come to by then is its
 * result. Callers: queries that keep their result until it is final.
 */
export const END_OF_TIME = Number.MAX_SAFE_INTEGER;
