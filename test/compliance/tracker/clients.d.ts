export interface Bases {
  readonly openai: string;
  readonly anthropic: string;
  readonly google: string;
}

export interface Client {
  ask(text: string): Promise<string>;
  stream(text: string): Promise<string>;
}

export const clients: Readonly<Record<string, (bases: Bases) => Promise<Client>>>;
