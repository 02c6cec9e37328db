import type { RecordOf, Stream } from '../../src/index.js';
import { outputTag } from '../../src/index.js';
import { assertType, type Same } from './same.js';

interface Click {
  user: string;
  at: number;
}
interface Rule {
  limit: number;
}
declare const clicks: Stream<Click>;
declare const rules: Stream<Rule>;

// A process function says what it gives.
const counted = clicks.keyBy('user').process<{ user: string; count: number }>((context) => {
  const count = context.state.value<number>({ name: 'count' });
  // error: Argument of type 'string' is not assignable to parameter of type 'number
  count.update('one');
  return {
    processElement(click, { key, collect, timers }) {
      assertType<Same<typeof click, Click>>();
      assertType<Same<typeof key.user, string>>();
      // error: Property 'usr' does not exist
      String(key.usr);
      // error: Argument of type 'string' is not assignable to parameter of type 'number'
      timers.registerEventTime('soon');
      // error: Type 'string' is not assignable to type 'number'
      collect({ user: click.user, count: 'one' });
    },
    onTimer(time, { key, collect, timestamp }) {
      assertType<Same<typeof timestamp, number>>();
      collect({ user: key.user, count: time });
    },
    endOfInput({ key }) {
      assertType<Same<typeof key, undefined>>();
    },
  };
});
assertType<Same<RecordOf<typeof counted>, { user: string; count: number }>>();

// Tags have a type.
const late = outputTag<Click>('late');
clicks.process<Click>(() => ({
  processElement(click, { key, output }) {
    assertType<Same<typeof key, undefined>>();
    output(late, click);
    // error: Property 'user' is missing
    output(late, { at: 1 });
  },
}));
const tagged = counted.sideOutput(late);
assertType<Same<RecordOf<typeof tagged>, Click>>();

// Two sides.
clicks
  .keyBy('user')
  .connect(rules.broadcast())
  .process<Rule>((context) => {
    const seen = context.state.value<number>({ name: 'seen' });
    const limits = context.operatorState.broadcast<string, number>('limits');
    return {
      processElement(click) {
        assertType<Same<typeof click, Click>>();
      },
      processElement2(rule, out) {
        assertType<Same<typeof rule, Rule>>();
        limits.put('limit', rule.limit);
        // error: Argument of type 'string' is not assignable to parameter of type 'number'
        limits.put('limit', 'none');
        out.applyToKeyedState(seen, (key, state) => {
          assertType<Same<typeof key.user, string>>();
          state.update(rule.limit);
        });
      },
    };
  });
const ruled = clicks.keyBy('user').connect(rules.broadcast());
// error: processElement2
ruled.process<Rule>(() => ({ processElement() {} }));
