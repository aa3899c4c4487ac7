/**
 * What all contestants share. The secret is for the benchmark alone.
 */
export const secret = "benchmark-only-secret-of-64-characters-never-use-it-in-a-real-app"

export const cookieLifeSeconds = 3600

export const redisUrl = process.env.BENCHMARK_REDIS_URL ?? "redis://127.0.0.1:6379"
