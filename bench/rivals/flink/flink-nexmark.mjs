/**
 * Flink as a rival in Nexmark: the same queries over the same events, in its own SQL. Callers: `../../nexmark/run.mjs`.
 * Runs on: the caller's thread, beside a cluster. Each query runs twice and the second run counts, so that the cluster
 * is warm, which a process of Millrace is not.
 */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BLOCK, eventSettings } from '../../nexmark/events/event-settings.mjs';
import { RESULT_COLUMNS } from '../../nexmark/result-columns.mjs';
import { FlinkCluster } from './flink-cluster.mjs';
import { flinkObstacle } from './flink-home.mjs';
import { FLINK_QUERIES, flinkSql } from './nexmark-sql.mjs';

export class FlinkRival {
  #cluster;
  #given;

  /**
   * @param {import('../../nexmark/arguments.mjs').NexmarkArguments & { work: string }} given `work`: a directory for
   *   files
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

  /** Whether its result is to be that of Millrace; Flink drops what windows by the clock hold at the end. */
  isComparable(query) {
    return query !== 'q12';
  }

  /**
   * @param {string} query
   * @param {number} events how many there are
   * @returns {Promise<import('../../nexmark/run.mjs').QueryResult>}
   */
  async measured(query, events) {
    const { parallelism, guarantee } = this.#given;
    const sql = this.#sql(query, this.#given.work);
    await this.#cluster.run(sql);
    const report = await this.#cluster.run(sql);
    return {
      query,
      engine: 'flink',
      source: this.#given.input ?? 'generator',
      events,
      parallelism,
      guarantee,
      checkpoints: null,
      ...report,
      eventsPerSecond: (events / report.elapsedMs) * 1000,
      eventsPerSecondPerCore: events / report.cpuSeconds,
      output: null,
      correct: null,
    };
  }

  /**
   * Runs a query once more and writes its final result as CSV, as Millrace's results are.
   *
   * @param {string} query
   * @param {string} path
   */
  async writeResult(query, path) {
    const rows = `${path}.rows`;
    await this.#cluster.run(this.#sql(query, null), rows);
    writeFileSync(path, `${RESULT_COLUMNS[query].join(',')}\n`);
    appendFileSync(path, readFileSync(rows));
    rmSync(rows);
  }

  #sql(query, directory) {
    const { parallelism } = this.#given;
    const input = this.#given.input === null ? null : resolve(this.#given.input);
    const events = input === null ? eventSettings(this.#given.events) : null;
    return flinkSql(query, { events, input, parallelism }, directory);
  }

  stop() {
    this.#cluster.stop();
  }
}
