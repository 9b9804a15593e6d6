/** Calls Gemini on Vertex AI by the official package, in a project and in express mode, streamed and not. */
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
