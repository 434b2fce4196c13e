/** As much of it as the tests use; the package has no types of its own. */
declare module "@20minutes/s3rver" {
  export default class S3rver {
    constructor(options: { address: string; port: number; silent: boolean; directory: string; configureBuckets: { name: string }[] });
    run(): Promise<{ port: number }>;
    httpServer: import("node:http").Server;
  }
}
