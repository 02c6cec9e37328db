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
  readonly #locals = new Map<string, { readonly name: string; readonly at: number }>();
  /** The block that this one is a part of, and which. */
  readonly #outer: { readonly block: CodeBlock; readonly at: number } | null;

  constructor(depth = 0, outer: CodeBlock | null = null) {
    this.#depth = depth;
    this.#outer = outer === null ? null : { block: outer, at: outer.#parts.length };
  }

  /** Appends a line. */
  line(code: string): void {
    this.#parts.push(code);
  }

  /** Appends a line that declares a local, which `localOf` then finds by the key of what it holds. */
  local(key: string, name: string, code: string): void {
    this.#locals.set(key, { name, at: this.#parts.length });
    this.line(`const ${name} = ${code};`);
  }

  /** The local of a key that is declared before the end of this block, here or in the blocks around; else null. */
  localOf(key: string, before = Number.POSITIVE_INFINITY): string | null {
    const known = this.#locals.get(key);
    if (known !== undefined && known.at < before) return known.name;
    return this.#outer?.block.localOf(key, this.#outer.at) ?? null;
  }

  /** Appends a comment; whatever the text holds stays inside it. */
  comment(text: string): void {
    this.#parts.push(`// ${text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ')}`);
  }

  /** An empty place at this depth, to be filled later. */
  place(): CodeBlock {
    const block = new CodeBlock(this.#depth, this);
    this.#parts.push(block);
    return block;
  }

  /** A place one level deeper, for the inside of braces that the caller writes around it. */
  indented(): CodeBlock {
    const block = new CodeBlock(this.#depth + 1, this);
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
