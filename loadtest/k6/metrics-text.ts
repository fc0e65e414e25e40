/** The value of a metric without labels in Prometheus’ text format; undefined where it is not there. */
export function valueOf(text: string, metric: string): number | undefined {
  for (const line of text.split('\n')) {
    const [name, value] = line.split(' ');
    if (name === metric && value !== undefined) return Number(value);
  }
  return undefined;
}
