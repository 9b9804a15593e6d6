/** A request the provider will not serve; its dialect gives the reply its shape. */
export class Refusal extends Error {
  constructor(status: number, message: string);
  readonly status: number;
}
