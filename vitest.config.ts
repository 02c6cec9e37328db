import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup/seed.ts'],
    // For machines under load; no test takes a tenth of it on an idle one.
    testTimeout: 120_000,
    // Hooks start servers and jobs too.
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 2,
    pool: 'forks',
    // Fixtures and the built package are imported by Node itself, so that jobs see real module URLs.
    server: { deps: { external: [/\/test\/fixtures\//, /\/dist\//] } },
  },
});
