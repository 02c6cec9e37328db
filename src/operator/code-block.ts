/**
 * Text of generated code that grows in several places at once: a fragment leaves an empty place, generates what
 * comes behind it, and then fills the place with what that turned out to need. Callers: the chain compiler and
 * its fragments. Runs on: worker, when a chain is compiled. Invariant: printing gives the lines in the order of
 * their places, each indented by its depth.
 */

/** A run of lines at one depth. */
export class CodeBlock {
  readonly #depth: number;
  readonly #parts: (string | CodeBlock)[] = [];

  constructor(depth = 0) {
    this.#depth = depth;
  }

  /** Appends a line. */
  line(code: string): void {
    this.#parts.push(code);
  }

  /** Appends a comment; whatever the text holds stays inside it. */
  comment(text: string): void {
    this.#parts.push(`// ${text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ')}`);
  }

  /** An empty place at this depth, to be filled later. */
  place(): CodeBlock {
    const block = new CodeBlock(this.#depth);
    this.#parts.push(block);
    return block;
  }

  /** A place one level deeper, for the inside of braces that the caller writes around it. */
  indented(): CodeBlock {
    const block = new CodeBlock(this.#depth + 1);
    this.#parts.push(block);
    return block;
  }

  /** Appends `head { … }` and gives the inside. */
  open(head: string): CodeBlock {
    this.line(`${head} {`);
    const inside = this.indented();
    this.line('}');
    return inside;
  }

  /** Appends the lines that another place will have. */
  repeat(block: CodeBlock): void {
    this.#parts.push(block);
  }

  /** Whether nothing has been written. */
  get isEmpty(): boolean {
    return this.#parts.every((part) => typeof part !== 'string' && part.isEmpty);
  }

  /** The lines as text. */
  print(): string {
    const lines: string[] = [];
    this.#collect(lines);
    return lines.join('\n');
  }

  #collect(lines: string[]): void {
    const indent = '  '.repeat(this.#depth);
    for (const part of this.#parts) {
      if (typeof part !== 'string') part.#collect(lines);
      else for (const line of part.split('\n')) lines.push(indent + line);
    }
  }
}
