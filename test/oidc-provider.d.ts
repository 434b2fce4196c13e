/** As much of it as the tests use; the package has no types of its own. */
declare module "oidc-provider" {
  export default class Provider {
    constructor(issuer: string, configuration: object);
    callback(): import("node:http").RequestListener;
  }
}
