/** The mark: threads over and under, a loom's weave. */
export function Logo({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" aria-hidden strokeLinecap="round">
      <path d="M7 2v4.2M7 9v9M13 2v9M13 13.8V18" stroke="currentColor" strokeWidth="2" />
      <path d="M2 7h9M13.8 7H18M2 13h4.2M9 13h9" stroke="var(--accent)" strokeWidth="2" />
    </svg>
  );
}
