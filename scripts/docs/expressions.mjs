/** `docs/expressions.md`: every function of expressions, from the table that typing and the compiler read. */
import { code, GENERATED, page, table } from '../lib/markdown.mjs';

const TITLES = {
  comparison: 'Comparison',
  logic: 'Logic',
  null: 'Nulls',
  arithmetic: 'Arithmetic',
  bits: 'Bits',
  text: 'Texts and bytes',
  date: 'Dates and times',
  nested: 'Nested objects',
  conversion: 'Conversion',
};

export function expressionsPage({ EXPRESSION_FUNCTIONS, FUNCTION_MEANINGS, arityOf }) {
  const sections = [...groupsOf(EXPRESSION_FUNCTIONS)].flatMap(([group, functions]) => [
    `## ${titleOf(group)}`,
    table(
      ['Function', 'Arguments', 'Meaning', 'Example'],
      functions.map((fn) => [
        code(fn.name),
        argumentsOf(fn, arityOf(fn)),
        FUNCTION_MEANINGS[fn.name].doc,
        code(FUNCTION_MEANINGS[fn.name].example),
      ]),
    ),
  ]);
  return page(
    '# Expressions',
    GENERATED,
    "An expression describes a value by fields of the record: `col('delay').gt(15)`. It is data, so the engine can type it, " +
      'print it in a plan, read only the columns it needs, and compile it into the loop of its chain; no object is built for ' +
      'a record. Start with `col(name)`, `lit(value)` or `when(condition).then(value).otherwise(value)`; functions follow as ' +
      'methods, and `call(name, ...arguments)` calls one by name. Expressions are taken by `filter`, `select`, `withColumn`, ' +
      '`explode` and aggregates.',
    "A list becomes records by `explode('tags')`, or by `explode({ word: col('line').split(' ') })`, which keeps the other " +
      'fields beside `word`. It is UNNEST of SQL and `explode` of Spark: a list that is null or empty gives no record, and with ' +
      '`{ outer: true }` one with null. The parts of `split` and `words` are then found on the bytes of the text and no list ' +
      'is built; between two verbs, as a field of `select`, it is.',
    'What holds for all functions unless their text says otherwise: a null argument makes the result null; numbers follow ' +
      'JavaScript, so `int32 / int32` keeps its fraction and `NaN` equals nothing; `int64` is exact and fails with ' +
      '`NUMBER_OVERFLOW` rather than wrap around; decimals are exact; texts compare and count by UTF-16 code unit; dates are in ' +
      'UTC. A filter keeps a record only when its condition is true, so neither for false nor for null.',
    'In the column *Arguments*, `number` is any number kind; `int64` also takes smaller whole kinds and whole literals; ' +
      '`decimal` also takes those and number literals; `value` is anything. The first argument is what the method is called on; ' +
      'an argument in ‹angle quotes› must be a literal.',
    ...sections,
  );
}

function titleOf(group) {
  if (group in TITLES) return TITLES[group];
  throw new Error(
    `The group "${group}" of functions has no title in scripts/docs/expressions.mjs.`,
  );
}

/** Functions by group; `Map.groupBy` is not there in Node 20. */
function groupsOf(functions) {
  const groups = new Map();
  for (const fn of functions) groups.set(fn.group, [...(groups.get(fn.group) ?? []), fn]);
  return groups;
}

function argumentsOf(fn, [least, most]) {
  if (fn.typing !== 'signatures') return countText(least, most);
  const forms = fn.signatures.map(({ args, rest }) => {
    const texts = args.map((arg) => (typeof arg === 'string' ? arg : `‹${arg.meaning}›`));
    if (rest !== undefined) texts.push(`…${rest}`);
    return texts.join(', ');
  });
  return [...new Set(forms)].join('; or ');
}

function countText(least, most) {
  if (most === Number.POSITIVE_INFINITY) return `${least} or more`;
  return least === most ? String(least) : `${least} to ${most}`;
}
