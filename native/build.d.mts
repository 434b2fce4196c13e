/** See `build.mjs`. */
export declare class BuildError extends Error {}

export declare function buildEngine(options: {
  libtorch: string | undefined;
  targets?: ("addon" | "engine_test")[];
  sanitize?: boolean;
  onProgress?: (line: string) => void;
}): Promise<{ addon: string; engineTest: string; built: boolean; seconds: number }>;
