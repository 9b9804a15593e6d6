/**
 * US dollars as a person reads them: `$0.0012`, `$0.2500`, `$1,234.57`. Below a dollar there are four places, or as many as
 * show two digits that count; what is less than a millionth is `<$0.000001`. Only nothing is `$0.00`.
 */
export function formatUsd(usd: number): string {
  if (usd === 0) return '$0.00';
  if (usd < 0.000001) return '<$0.000001';
  if (usd >= 1) return `$${usd.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',')}`;
  return `$${usd.toFixed(Math.min(6, Math.max(4, 1 - Math.floor(Math.log10(usd)))))}`;
}
