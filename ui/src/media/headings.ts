/// The level at which Markdown has to begin so that its topmost headings, of whatever depth, are `wanted`: headings of a page go down one by
/// one, and texts that were logged begin anywhere.
export function level_for(text: string, wanted: number): number {
  const depths = [...text.matchAll(/^ {0,3}(#{1,6})\s/gm)].map(([, marks]) => marks!.length);
  return depths.length === 0 ? wanted : wanted + 1 - Math.min(...depths);
}
