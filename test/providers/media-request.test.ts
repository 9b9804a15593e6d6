import { describe, expect, it } from 'vitest';
import { putMediaModel, readMediaRequest } from '../../src/providers/media-request.js';

const path = '/v1/audio/transcriptions';

async function makeForm(fields: readonly (readonly [string, string | Blob])[]): Promise<Buffer> {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return Buffer.from(await new Response(data).arrayBuffer());
}

describe('a request with media', () => {
  it.each([
    [{ model: 'gpt-image-1', stream: true }, true],
    [{ model: 'gpt-image-1', stream: 'true' }, true],
    [{ model: 'gpt-image-1', stream: 'false' }, false],
    [{ model: 'gpt-image-1', stream_format: 'sse' }, true],
    [{ model: 'gpt-image-1', stream_format: 'audio' }, false],
  ])('%j is a stream: %s', (body, stream) => {
    expect(readMediaRequest(body, path)).toMatchObject({ model: 'gpt-image-1', stream });
  });

  it('gets another model in the form, and nothing else of it changes', async () => {
    const file = new Blob([Buffer.alloc(5000, 'model')], { type: 'audio/wav' });
    const form = await makeForm([
      ['model2', 'whisper-1'],
      ['file', file],
      ['model', 'whisper-1'],
      ['language', 'pt'],
    ]);
    const changed = putMediaModel({ body: form, path }, 'gpt-4o-transcribe');
    expect(changed?.path).toBe(path);
    const [before = '', after = ''] = form.toString('latin1').split('name="model"\r\n\r\nwhisper-1');
    expect(changed?.body.toString('latin1')).toBe(`${before}name="model"\r\n\r\ngpt-4o-transcribe${after}`);
  });

  it('gets it where its URL names a deployment, there alone', async () => {
    const form = await makeForm([['model', 'whisper-1']]);
    const azure = '/openai/deployments/hear/audio/transcriptions?api-version=2024-10-21';
    const changed = putMediaModel({ body: form, path: azure }, 'listen');
    expect(changed?.path).toBe('/openai/deployments/listen/audio/transcriptions?api-version=2024-10-21');
    expect(changed?.body.equals(form)).toBe(true);
  });

  it('stays as it is where there is no such field, or the name could not stand in one', async () => {
    const form = await makeForm([['language', 'pt']]);
    expect(putMediaModel({ body: form, path }, 'm')).toBeUndefined();
    expect(putMediaModel({ body: await makeForm([['model', 'a']]), path }, 'm\r\n--x')).toBeUndefined();
    for (const body of [
      '--',
      '--\r\n',
      '--b\r\n\r\n\r\n',
      '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nx',
    ])
      expect(putMediaModel({ body: Buffer.from(body), path }, 'm')).toBeUndefined();
  });
});
