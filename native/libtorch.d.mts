/** The folder that holds `include/` and `lib/`, or null where there is none yet. */
export declare function findLibtorch(): string | null;
/** Fetches the wheel of PyTorch with pip, and gives its folder. */
export declare function installLibtorch(command: (program: string, args: string[], options: { sentence: string }) => Promise<unknown>): Promise<string>;
