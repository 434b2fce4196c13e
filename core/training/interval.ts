/** 97.5 % of the normal distribution lie below. */
const Z = 1.959964;

/**
 * Between what the true share lies, 95 times of 100, where `right` of `total` were right.
 * @see E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927
 */
export function wilsonInterval(right: number, total: number): { low: number; high: number } {
  if (total === 0) return { low: 0, high: 1 };
  const share = right / total;
  const spread = Z ** 2 / total;
  const middle = (share + spread / 2) / (1 + spread);
  const reach = (Z * Math.sqrt((share * (1 - share)) / total + Z ** 2 / (4 * total ** 2))) / (1 + spread);
  return { low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}
