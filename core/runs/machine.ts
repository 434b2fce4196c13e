/** The metric that says how many seconds of training lie before a step; runs of older releases have none. */
export const ELAPSED = "elapsed_seconds";

/** What a training took of its machine, in the order of their charts. */
export const MACHINE_METRICS = ["cpu_cores", "memory_bytes", "gpu_share", "gpu_memory_bytes"] as const;

/** Whether a series depends on the machine and its load, and not on the order of the run alone. */
export const isOfMachine = (key: string): boolean => [ELAPSED, "samples_per_second", ...MACHINE_METRICS].includes(key);
