export interface ExampleCertificates {
  /** PEM file of the throw-away root. */
  readonly caPath: string;
  readonly caPem: string;
  /** The server's key, PEM. */
  readonly key: string;
  /** Host name or address to its certificate, PEM. */
  readonly certs: Readonly<Record<string, string>>;
}

export const exampleHosts: readonly string[];

export function makeExampleCertificates(folder: string, hosts?: readonly string[]): Promise<ExampleCertificates>;
