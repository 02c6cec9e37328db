import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup/seed.ts'],
    // For machines under load or that stand still: a test that hangs is told late, but none is for being slow.
    testTimeout: 600_000,
    // Hooks start servers and jobs too.
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    pool: 'forks',
    // Fixtures and the built package are imported by Node itself, so that jobs see real module URLs.
    server: { deps: { external: [/\/test\/fixtures\//, /\/dist\//] } },
  },
});
