import { expect, it } from 'vitest';
import type { CallRecord, JsonValue } from '../../../src/core/call-record.js';
import { readContent } from '../../../src/exporters/otlp/content/read-content.js';

const schema = { type: 'object', properties: { city: { type: 'string' } } };
const tool = { type: 'function', name: 'get_weather', description: 'By city', parameters: schema };
const text = (content: string) => ({ type: 'text', content });
const call = (id: string | null) => ({ type: 'tool_call', id, name: 'get_weather', arguments: { city: 'Rome' } });
const result = (id: string, response: JsonValue) => ({ type: 'tool_call_response', id, response });
const input = { city: 'Rome' };
const png = 'iVBORw0KGgo=';
const image = { type: 'blob', mime_type: 'image/png', modality: 'image', content: png };

interface Row {
  readonly api: string;
  readonly url?: string;
  readonly asked: JsonValue;
  readonly input: unknown;
  readonly system?: unknown;
  readonly tools?: unknown;
}

/** The same conversation, as each API has it. */
const rows: readonly (readonly [string, Row])[] = [
  [
    'OpenAI chat',
    {
      api: 'chat.completions',
      asked: {
        messages: [
          { role: 'system', content: 'Be brief.' },
          {
            role: 'user',
            name: 'ann',
            content: [
              { type: 'text', text: 'Weather?' },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
            ],
          },
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              { id: 'c1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rome"}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'c1', content: 'rain' },
        ],
        tools: [
          { type: 'function', function: { name: 'get_weather', description: 'By city', parameters: schema } },
          { type: 'web_search' },
        ],
      },
      input: [
        { role: 'system', parts: [text('Be brief.')] },
        { role: 'user', name: 'ann', parts: [text('Weather?'), image] },
        { role: 'assistant', parts: [call('c1')] },
        { role: 'tool', parts: [result('c1', 'rain')] },
      ],
      tools: [tool, { type: 'web_search', name: 'web_search' }],
    },
  ],
  [
    'OpenAI responses',
    {
      api: 'responses',
      asked: {
        instructions: 'Be brief.',
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'Weather?' },
              { type: 'input_image', image_url: `data:image/png;base64,${png}` },
            ],
          },
          { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Ask.' }], encrypted_content: 'xyz' },
          { type: 'function_call', call_id: 'c1', name: 'get_weather', arguments: '{"city":"Rome"}' },
          { type: 'function_call_output', call_id: 'c1', output: 'rain' },
        ],
        tools: [tool, { type: 'web_search' }],
      },
      input: [
        { role: 'user', parts: [text('Weather?'), image] },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Ask.' }] },
        { role: 'assistant', parts: [call('c1')] },
        { role: 'tool', parts: [result('c1', 'rain')] },
      ],
      system: [text('Be brief.')],
      tools: [tool, { type: 'web_search', name: 'web_search' }],
    },
  ],
  [
    'responses over a WebSocket',
    {
      api: 'responses',
      asked: { type: 'response.create', input: 'Hi' },
      input: [{ role: 'user', parts: [text('Hi')] }],
    },
  ],
  [
    'Anthropic',
    {
      api: 'messages',
      asked: {
        system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Weather?' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'Ask.', signature: 'sealed' },
              { type: 'tool_use', id: 'c1', name: 'get_weather', input },
            ],
          },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'rain' }] },
        ],
        tools: [
          { name: 'get_weather', description: 'By city', input_schema: schema },
          { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
        ],
      },
      input: [
        { role: 'user', parts: [text('Weather?'), image] },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Ask.' }, call('c1')] },
        { role: 'user', parts: [result('c1', 'rain')] },
      ],
      system: [text('Be brief.')],
      tools: [tool, { type: 'web_search_20250305', name: 'web_search', max_uses: 2 }],
    },
  ],
  [
    'Gemini',
    {
      api: 'generateContent',
      asked: {
        system_instruction: { parts: [{ text: 'Be brief.' }] },
        contents: [
          { role: 'user', parts: [{ text: 'Weather?' }, { inlineData: { mimeType: 'image/png', data: png } }] },
          { role: 'model', parts: [{ functionCall: { id: 'c1', name: 'get_weather', args: input } }] },
          { role: 'user', parts: [{ functionResponse: { id: 'c1', name: 'get_weather', response: { sky: 'rain' } } }] },
        ],
        tools: [
          { functionDeclarations: [{ name: 'get_weather', description: 'By city', parametersJsonSchema: schema }] },
          { googleSearch: {} },
        ],
      },
      input: [
        { role: 'user', parts: [text('Weather?'), image] },
        { role: 'assistant', parts: [call('c1')] },
        { role: 'user', parts: [result('c1', { sky: 'rain' })] },
      ],
      system: [text('Be brief.')],
      tools: [tool, { type: 'googleSearch', name: 'googleSearch' }],
    },
  ],
  [
    'the Gemini CLI',
    {
      api: 'streamGenerateContent',
      asked: { project: 'p', request: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] } },
      input: [{ role: 'user', parts: [text('Hi')] }],
    },
  ],
  [
    'Bedrock Converse',
    {
      api: 'converseStream',
      asked: {
        system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default' } }],
        messages: [
          { role: 'user', content: [{ text: 'Weather?' }, { image: { format: 'png', source: { bytes: png } } }] },
          { role: 'assistant', content: [{ toolUse: { toolUseId: 'c1', name: 'get_weather', input } }] },
          { role: 'user', content: [{ toolResult: { toolUseId: 'c1', content: [{ text: 'rain' }] } }] },
        ],
        toolConfig: {
          tools: [
            { toolSpec: { name: 'get_weather', description: 'By city', inputSchema: { json: schema } } },
            { cachePoint: { type: 'default' } },
          ],
        },
      },
      input: [
        { role: 'user', parts: [text('Weather?'), image] },
        { role: 'assistant', parts: [call('c1')] },
        { role: 'user', parts: [result('c1', [{ text: 'rain' }])] },
      ],
      system: [text('Be brief.')],
      tools: [tool],
    },
  ],
  [
    'Cohere, version 2',
    {
      api: 'chat',
      url: 'https://api.cohere.com/v2/chat',
      asked: {
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
          {
            role: 'assistant',
            tool_plan: 'Ask.',
            tool_calls: [
              { id: 'c1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rome"}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'c1', content: 'rain' },
        ],
        tools: [{ type: 'function', function: { name: 'get_weather', description: 'By city', parameters: schema } }],
      },
      input: [
        { role: 'user', parts: [text('Weather?')] },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Ask.' }, call('c1')] },
        { role: 'tool', parts: [result('c1', 'rain')] },
      ],
      tools: [tool],
    },
  ],
  [
    'Cohere, version 1',
    {
      api: 'chat',
      url: 'https://api.cohere.com/v1/chat',
      asked: {
        preamble: 'Be brief.',
        chat_history: [{ role: 'CHATBOT', message: 'Hello.' }],
        message: 'Weather?',
        tools: [{ name: 'get_weather', description: 'By city', parameter_definitions: { city: { type: 'str' } } }],
      },
      input: [
        { role: 'assistant', parts: [text('Hello.')] },
        { role: 'user', parts: [text('Weather?')] },
      ],
      system: [text('Be brief.')],
      tools: [
        {
          type: 'function',
          name: 'get_weather',
          description: 'By city',
          parameter_definitions: { city: { type: 'str' } },
        },
      ],
    },
  ],
  [
    'Mistral',
    {
      api: 'chat.completions',
      url: 'https://api.mistral.ai/v1/chat/completions',
      asked: {
        messages: [
          { role: 'user', content: 'Weather?' },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: [{ type: 'text', text: 'Ask.' }] },
              { type: 'text', text: 'A moment.' },
            ],
          },
        ],
      },
      input: [
        { role: 'user', parts: [text('Weather?')] },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Ask.' }, text('A moment.')] },
      ],
    },
  ],
  [
    'ollama',
    {
      api: 'chat',
      url: 'http://localhost:11434/api/chat',
      asked: {
        messages: [
          { role: 'user', content: 'Weather?', images: [png] },
          {
            role: 'assistant',
            content: '',
            thinking: 'Ask.',
            tool_calls: [{ function: { name: 'get_weather', arguments: input } }],
          },
          { role: 'tool', tool_name: 'get_weather', content: 'rain' },
        ],
        tools: [{ type: 'function', function: { name: 'get_weather', description: 'By city', parameters: schema } }],
      },
      input: [
        { role: 'user', parts: [text('Weather?'), { ...image, mime_type: null }] },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Ask.' }, call(null)] },
        { role: 'tool', parts: [result('get_weather', 'rain')] },
      ],
      tools: [tool],
    },
  ],
  [
    'ollama, completions',
    {
      api: 'generate',
      url: 'http://localhost:11434/api/generate',
      asked: { prompt: 'Hi', system: 'Be brief.' },
      input: [{ role: 'user', parts: [text('Hi')] }],
      system: [text('Be brief.')],
    },
  ],
  [
    'OpenAI completions',
    {
      api: 'completions',
      asked: { prompt: ['Hi', 'Ho'] },
      input: ['Hi', 'Ho'].map((one) => ({ role: 'user', parts: [text(one)] })),
    },
  ],
  [
    'Anthropic by Bedrock’s InvokeModel',
    {
      api: 'invokeModelWithResponseStream',
      asked: { anthropic_version: 'bedrock-2023-05-31', messages: [{ role: 'user', content: 'Hi' }] },
      input: [{ role: 'user', parts: [text('Hi')] }],
    },
  ],
];

it.each(rows)('what is asked by %s is read by the words of the conventions', (_, row) => {
  const { api, url = 'https://api.example.com/v1', asked } = row;
  expect(readContent({ api, url, requestBody: asked, responseBody: null } as CallRecord)).toEqual({
    ...{ input: row.input, system: row.system ?? null, tools: row.tools ?? null },
    ...{ output: null, truncated: [] },
  });
});
