/** Where in the clouds calls go that say nothing of it; `null` where nobody says. */
export interface CloudPlaces {
  readonly bedrockRegion: string | null;
  readonly vertexRegion: string | null;
  readonly vertexProject: string | null;
}

/**
 * Reads them of the variables that Anthropic's own packages read. Source: the npm packages `@anthropic-ai/bedrock-sdk` 1.1.3
 * (`AWS_REGION`; its `us-east-1` where there is none is not taken over: nothing is guessed) and `@anthropic-ai/vertex-sdk`
 * 1.1.3 (`CLOUD_ML_REGION`, `ANTHROPIC_VERTEX_PROJECT_ID`), `client.mjs`, read 2026-11-27.
 */
export function readCloudPlaces(env: Readonly<Record<string, string | undefined>> = {}): CloudPlaces {
  const read = (name: string): string | null => {
    const value = env[name]?.trim() ?? '';
    return value === '' ? null : value;
  };
  return {
    bedrockRegion: read('AWS_REGION'),
    vertexRegion: read('CLOUD_ML_REGION'),
    vertexProject: read('ANTHROPIC_VERTEX_PROJECT_ID'),
  };
}
