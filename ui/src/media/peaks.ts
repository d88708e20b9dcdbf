/// The smallest and the largest sample of each of so many equal parts, within -1 and 1.
export function peaks_of(samples: ArrayLike<number>, columns: number): [number, number][] {
  const count = Math.min(columns, samples.length);
  return Array.from({ length: count }, (_, column): [number, number] => {
    const end = Math.floor(((column + 1) * samples.length) / count);
    let low = 1;
    let high = -1;
    for (let i = Math.floor((column * samples.length) / count); i < end; i++) {
      const value = Math.max(-1, Math.min(1, samples[i] || 0));
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return [low, high];
  });
}
