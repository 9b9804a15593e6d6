/**
 * A host name written as a pattern: labels compared as they are, where one `*` in a label stands for at least one character
 * of that label (`bedrock-runtime.*.amazonaws.com`, `*-aiplatform.googleapis.com`), and a first label that is `*` alone for
 * one label or more (`*.openai.azure.com`). No other label of the name may be added or left out.
 */
export interface HostPattern {
  /** @param labels of a name in lower case */
  matches(labels: readonly string[]): boolean;
}

export function makeHostPattern(text: string): HostPattern {
  const isBelow = text.startsWith('*.');
  const tests = (isBelow ? text.slice(2) : text).split('.').map(makeLabelTest);
  return {
    matches: (labels) => {
      const before = labels.length - tests.length;
      if (isBelow ? before < 1 || labels[0] === '' : before !== 0) return false;
      return tests.every((test, at) => test(labels[before + at] ?? ''));
    },
  };
}

function makeLabelTest(part: string): (label: string) => boolean {
  const star = part.indexOf('*');
  if (star === -1) return (label) => label === part;
  const head = part.slice(0, star);
  const tail = part.slice(star + 1);
  return (label) => label.length > head.length + tail.length && label.startsWith(head) && label.endsWith(tail);
}
