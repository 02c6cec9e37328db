/**
 * Connected components by iteration: who knows whom through friends of friends. Everyone starts in a circle named after
 * themselves, and in each round tells their friends the first name that they know of; when nobody learns a new one, all
 * of a circle know the same name. `docs/iteration.md` tells how it goes round.
 */
import { fileURLToPath } from 'node:url';
import { count, csv, job, min, print, type Stream, tumbling } from 'millrace';

const friends = fileURLToPath(new URL('./data/friends.csv', import.meta.url));

interface Friends {
  readonly a: string;
  readonly b: string;
}
interface Member {
  readonly who: string;
  readonly circle: string;
}

export default job('connected-components', (flow, { path = friends }) => {
  const pairs = flow.from(csv<Friends>(path)).flatMap<Friends>(({ a, b }) => [
    { a, b },
    { a: b, b: a },
  ]);
  const circles = pairs
    .map(({ a }): Member => ({ who: a, circle: a }))
    .iterate((members) => oneRound(members, pairs), { name: 'spread', maxIterations: 1000 });

  circles
    .keyBy('who')
    .aggregate({ circle: min('circle') }, { uid: 'circle-of', emit: 'final' })
    .keyBy('circle')
    .aggregate({ members: count() }, { uid: 'members' })
    .to(print({ title: 'Circles of friends', orderBy: 'members' }));
});

function oneRound(members: Stream<Member>, pairs: Stream<Friends>) {
  // In a loop event time is the round, so a window of one holds what everybody was told in a round.
  const learnt = members
    .keyBy('who')
    .window(tumbling(1))
    .aggregate({ circle: min('circle') }, { uid: 'told' })
    .select('who', 'circle')
    .keyBy('who')
    .process<Member>(
      ({ state }) => {
        const known = state.value<string>({ name: 'known', type: { kind: 'utf8' } });
        return {
          processElement({ who, circle }, { collect }) {
            const before = known.value();
            if (circle === null || (before !== undefined && circle >= before)) return;
            known.update(circle);
            collect({ who, circle });
          },
        };
      },
      { uid: 'known' },
    );
  const told = learnt
    .keyBy('who')
    .join(pairs.keyBy('a'))
    .apply(({ circle }, { b }): Member => ({ who: b, circle }), { uid: 'tell' });
  return { feedback: told, output: learnt };
}
