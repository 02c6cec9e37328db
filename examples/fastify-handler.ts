/** Millrace inside a web server: each request runs a job on its body, in the calling thread. */
import Fastify from 'fastify';
import { avg, collectSink, count, job, run } from 'millrace';

interface Reading {
  sensor: string;
  celsius: number;
}

export const server = Fastify();

server.post<{ Body: Reading[] }>('/summary', async (request) => {
  const summary = collectSink<{ sensor: string; readings: number; mean: number | null }>();
  const perSensor = job('per-sensor', (flow) => {
    flow
      .from(request.body)
      .keyBy('sensor')
      .aggregate({ readings: count(), mean: avg('celsius') })
      .to(summary);
  });
  await run(perSensor);
  return summary.rows;
});

if (process.argv[1] === import.meta.filename) await server.listen({ port: 3000 });
