/** Calls Gemini on Vertex AI by Google's package, in a project and in express mode, and Claude by Anthropic's. */
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import { GoogleGenAI } from '@google/genai';
import { OAuth2Client } from 'google-auth-library';
import { say } from './say.js';

const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: 'ya29.example', expiry_date: Date.now() + 3_600_000 });
const clients = {
  project: new GoogleGenAI({
    vertexai: true,
    project: 'my-project',
    location: 'us-central1',
    googleAuthOptions: { authClient },
  }),
  express: new GoogleGenAI({ vertexai: true, apiKey: process.env.GEMINI_API_KEY }),
};
const asked = {
  model: 'gemini-2.5-flash',
  contents: 'What should I see first in Lisbon?',
  config: { systemInstruction: 'You are a guide. Answer in one sentence.' },
};

for (const [title, { models }] of Object.entries(clients)) {
  say(title, await models.generateContent(asked));
  for await (const chunk of await models.generateContentStream(asked)) say(`${title} stream`, chunk);
}

const claude = new AnthropicVertex({ projectId: 'my-project', region: 'us-central1', authClient, maxRetries: 0 });
const message = {
  model: 'claude-haiku-4-5@20251001',
  max_tokens: 300,
  messages: [{ role: 'user', content: 'What should I see first in Lisbon?' }],
};
say('claude', await claude.messages.create(message));
for await (const event of await claude.messages.create({ ...message, stream: true })) say('claude stream', event);
say('claude count', await claude.messages.countTokens({ model: message.model, messages: message.messages }));
