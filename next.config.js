/** @type {import("next").NextConfig} */
export default {
  reactStrictMode: true,
  poweredByHeader: false,
  // Users' pictures never pass through an optimizer, and no response is cached between people.
  images: { unoptimized: true },
  // `npm test` type-checks everything once, with the same tsconfig.
  typescript: { ignoreBuildErrors: true },
};
