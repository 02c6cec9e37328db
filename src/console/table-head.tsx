/**
 * The head of a table. Callers: screens with tables. Runs on: the page's thread.
 */

/** The title of a column; one of numbers stands at the right, one that needs no title has it for readers only. */
export type Column = string | { readonly number: string } | { readonly hidden: string };

export function TableHead({ columns }: { readonly columns: readonly Column[] }) {
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <Title key={JSON.stringify(column)} column={column} />
        ))}
      </tr>
    </thead>
  );
}

function Title({ column }: { readonly column: Column }) {
  if (typeof column === 'string') return <th scope="col">{column}</th>;
  if ('hidden' in column) {
    return (
      <th scope="col">
        <span class="hidden">{column.hidden}</span>
      </th>
    );
  }
  return (
    <th scope="col" class="number">
      {column.number}
    </th>
  );
}
