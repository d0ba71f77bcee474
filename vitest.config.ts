import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["web/tests/**/*.test.ts"] } },
      {
        test: {
          name: "browser",
          include: ["wasm-tests/**/*.test.ts"],
          // One browser at a time: the machine may have two cores.
          fileParallelism: false,
          testTimeout: 420_000,
          hookTimeout: 120_000,
        },
      },
      // Hours, not minutes: by `npm run soak` alone.
      { test: { name: "soak", include: ["wasm-tests/*.long.ts"], testTimeout: 24 * 3_600_000 } },
    ],
  },
});
