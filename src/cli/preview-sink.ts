/**
 * The sink of a preview: shows the first rows as a table, or as JSON lines, and says when there are enough. Callers:
 * `preview-command.ts`. Runs on: the main thread, as the whole job of a preview does.
 */
import type { Committable, SinkConnector, SinkWriter } from '../connector/contract.js';
import { PrintWriter } from '../connector/print/print-writer.js';
import { printSettings } from '../connector/print/print.js';
import type { Batch } from '../record/batch.js';
import { compileRowReader } from '../record/row-codec.js';
import { valueToJson } from '../savepoint/value-json.js';
import type { JsonOutput } from './json-output.js';

/** What a preview shows. */
export interface Preview {
  readonly limit: number;
  readonly title: string;
  /** Null draws a table on standard output. */
  readonly json: JsonOutput | null;
  /** Called once, when so many rows are shown. */
  onFull(): void;
}

/** Takes rows until there are enough; what comes after them is thrown away. */
export class PreviewSink implements SinkConnector {
  readonly kind = 'sink';
  readonly type = 'preview';
  readonly name = 'preview';
  readonly host = true;
  readonly parallelism = 1;
  readonly guarantee = 'at-least-once';
  readonly columns = null;
  readonly #preview: Preview;
  #writer: PreviewWriter | null = null;

  constructor(preview: Preview) {
    this.#preview = preview;
  }

  /** Rows shown so far. */
  get rows(): number {
    return this.#writer?.rows ?? 0;
  }

  plan(): null {
    return null;
  }

  open(): SinkWriter {
    this.#writer = new PreviewWriter(this.#preview);
    return this.#writer;
  }
}

class PreviewWriter implements SinkWriter {
  readonly bytesWritten = 0;
  rows = 0;
  readonly #preview: Preview;
  readonly #table: PrintWriter | null;

  constructor(preview: Preview) {
    const { limit, title, json } = preview;
    this.#preview = preview;
    this.#table = json === null ? new PrintWriter(printSettings({ limit, title })) : null;
  }

  write(batch: Batch, fromRow: number): number {
    const { limit, onFull } = this.#preview;
    const left = limit - this.rows;
    const taken = Math.min(left, batch.rows - fromRow);
    if (taken > 0) {
      if (this.#table === null) this.#writeJson(batch, fromRow, fromRow + taken);
      else this.#table.write(batch, fromRow);
      this.rows += taken;
      if (this.rows === limit) onFull();
    }
    return batch.rows - fromRow;
  }

  #writeJson(batch: Batch, fromRow: number, toRow: number): void {
    const read = compileRowReader(batch.schema, null);
    for (let row = fromRow; row < toRow; row++) {
      const record = valueToJson(read(batch, row));
      this.#preview.json?.line('record', { record });
    }
  }

  flush(): boolean {
    return true;
  }

  prepareCommit(): readonly Committable[] {
    return [];
  }

  /** Also of a job that was canceled, or has failed: the table is drawn to its end. */
  close(): void {
    this.#table?.prepareCommit(true);
    this.#table?.close();
  }
}
