/**
 * Flink as a rival in Nexmark: the same queries over the same events, in its own SQL. Callers: `../../nexmark/run.mjs`.
 * Runs on: the caller's thread, beside a cluster. Each query runs twice and the second run counts, so that the cluster
 * is warm, which a process of Millrace is not.
 */
import { resolve } from 'node:path';
import { BLOCK, eventSettings } from '../../nexmark/events/event-settings.mjs';
import { FlinkCluster } from './flink-cluster.mjs';
import { flinkObstacle } from './flink-home.mjs';
import { FLINK_QUERIES, flinkSql } from './nexmark-sql.mjs';

export class FlinkRival {
  #cluster;
  #given;

  /**
   * @param {import('../../nexmark/arguments.mjs').NexmarkArguments} given
   * @param {(message: string) => void} tell
   */
  static async start(given, tell) {
    const obstacle = flinkObstacle();
    if (obstacle !== null) throw new Error(`Flink cannot run here: ${obstacle}.`);
    const share = BLOCK * given.parallelism;
    if (given.input === null && given.events.events % share !== 0) {
      throw new Error(`Flink deals events evenly: give --events a multiple of ${share}.`);
    }
    const rival = new FlinkRival();
    rival.#given = given;
    const { parallelism: slots, guarantee } = given;
    rival.#cluster = await FlinkCluster.start({ slots, guarantee, tell });
    return rival;
  }

  /** Whether Flink is asked a query. */
  has(query) {
    return FLINK_QUERIES.includes(query);
  }

  /**
   * @param {string} query
   * @param {number} events how many there are
   * @returns {Promise<import('../../nexmark/run.mjs').QueryResult>}
   */
  async measured(query, events) {
    const { parallelism, guarantee } = this.#given;
    const input = this.#given.input === null ? null : resolve(this.#given.input);
    const settings = input === null ? eventSettings(this.#given.events) : null;
    const sql = flinkSql(query, { events: settings, input, parallelism });
    await this.#cluster.run(sql);
    const report = await this.#cluster.run(sql);
    return {
      query,
      engine: 'flink',
      source: this.#given.input ?? 'generator',
      events,
      parallelism,
      guarantee,
      ...report,
      eventsPerSecond: (events / report.elapsedMs) * 1000,
      eventsPerSecondPerCore: events / report.cpuSeconds,
      output: null,
      correct: null,
    };
  }

  stop() {
    this.#cluster.stop();
  }
}
