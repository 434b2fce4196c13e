/** Which room may import which (docs/architecture.md). */
const rooms = (name, from, to, comment) => ({ name, severity: "error", comment, from, to });
module.exports = {
  forbidden: [
    rooms("core-is-pure", { path: "^core/" }, { path: "^(app|server|native|prisma|test)/" }, "core/ imports nobody."),
    rooms("core-runs-in-browsers", { path: "^core/" }, { dependencyTypes: ["core"] }, "core/ runs in browsers, so it uses no Node module."),
    rooms("native-knows-core", { path: "^native/" }, { path: "^(app|server|prisma)/" }, "native/ may import core/."),
    rooms("app-sees-types", { path: "^app/" }, { path: "^(server|native|prisma)/", dependencyTypesNot: ["type-only"] }, "app/ may import core/ and types of server/."),
    rooms("server-without-app", { path: "^server/" }, { path: "^app/" }, "server/ never imports app/."),
    rooms(
      "engine-in-few-processes",
      { path: "^server/(?!trainer/|preview/(main|evaluate|study|explain|layerNumbers|pace)\\.ts|agent/|setup)" },
      { path: "^native/", dependencyTypesNot: ["type-only"] },
      "Only trainer and preview load the engine.",
    ),
    rooms("no-circles", {}, { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }, "Two files that need each other are one file."),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(node_modules|\\.next|generated)/" },
    moduleSystems: ["es6"],
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".mjs", ".js"] },
  },
};
