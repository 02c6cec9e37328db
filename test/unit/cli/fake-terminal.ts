/** A terminal as far as the screen uses one: text, newlines, cursor up, erasing, reflow on resize. */
export class FakeTerminal {
  written = 0;
  isCursorVisible = true;
  #columns: number;
  readonly #rowsMax: number;
  /** Rows of the screen; `isWrapped` ones go on in the next. */
  #rows: { text: string; isWrapped: boolean }[] = [{ text: '', isWrapped: false }];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rowsMax = rows;
  }

  /** What a person sees, without empty lines at the end. */
  lines(): string[] {
    const lines = this.#rows.map((row) => row.text.trimEnd());
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  write(text: string): boolean {
    this.written++;
    const escape = String.fromCharCode(27);
    const tokens = new RegExp(
      `${escape}\\[(\\??)(\\d*)([A-Za-z])|\\n|\\r|[^${escape}\\n\\r]+`,
      'g',
    );
    for (const [token, , amount, command] of text.matchAll(tokens)) {
      if (token === '\n') this.#newline(false);
      else if (token === '\r') this.#column = 0;
      else if (command !== undefined) this.#command(command, Number(amount));
      else this.#print(token);
    }
    return true;
  }

  /** Wraps rows that have become too long, as most terminals do. */
  resize(columns: number): void {
    this.#columns = columns;
    const rows: { text: string; isWrapped: boolean }[] = [];
    let row = 0;
    for (const [index, { text }] of this.#rows.entries()) {
      if (index === this.#row) row = rows.length;
      const pieces = text.match(new RegExp(`.{1,${columns}}`, 'g')) ?? [''];
      for (const [at, piece] of pieces.entries()) {
        rows.push({ text: piece, isWrapped: at < pieces.length - 1 });
      }
    }
    this.#rows = rows;
    this.#row = row;
  }

  #command(command: string, amount: number): void {
    if (command === 'A') this.#row = Math.max(0, this.#row - amount);
    else if (command === 'K') this.#current.text = this.#current.text.slice(0, this.#column);
    else if (command === 'J') {
      this.#current.text = this.#current.text.slice(0, this.#column);
      this.#rows.length = this.#row + 1;
    } else if (amount === 25) this.isCursorVisible = command === 'h';
  }

  #print(text: string): void {
    for (const character of text) {
      if (this.#column === this.#columns) this.#newline(true);
      const { text: before } = this.#current;
      const start = before.slice(0, this.#column).padEnd(this.#column);
      this.#current.text = start + character + before.slice(this.#column + 1);
      this.#column++;
    }
  }

  #newline(isWrapped: boolean): void {
    this.#current.isWrapped = isWrapped;
    this.#row++;
    this.#column = 0;
    if (this.#row === this.#rows.length) this.#rows.push({ text: '', isWrapped: false });
    if (this.#rows.length > this.#rowsMax) {
      this.#rows.shift();
      this.#row--;
    }
  }

  get #current(): { text: string; isWrapped: boolean } {
    const row = this.#rows[this.#row];
    if (row === undefined) throw new Error('The cursor has left the terminal.');
    return row;
  }
}
