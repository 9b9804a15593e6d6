/** Two turns with Gemini Live by the official package; prints the text of each. */
import { GoogleGenAI, Modality } from '@google/genai';

const ai = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
let text = '';
let onTurn = () => undefined;
const session = await ai.live.connect({
  model: 'gemini-live-2.5-flash-preview',
  config: { responseModalities: [Modality.TEXT] },
  callbacks: {
    onmessage: ({ serverContent }) => {
      for (const part of serverContent?.modelTurn?.parts ?? []) text += part.text ?? '';
      if (serverContent?.turnComplete) onTurn();
    },
    onerror: (error) => console.error(error),
    onclose: () => undefined,
  },
});
for (const turns of ['Hello.', 'And goodbye.']) {
  const turn = new Promise((resolve) => {
    onTurn = resolve;
  });
  session.sendClientContent({ turns, turnComplete: true });
  await turn;
  console.log(text);
  text = '';
}
session.close();
