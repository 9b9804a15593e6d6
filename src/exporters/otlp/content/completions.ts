import { nameFinish } from './finish-reason.js';
import { ByIndex } from './frames.js';
import { asObjects, asText, type ContentReader, type JsonObject, type Message, makeText, orNull } from './message.js';

/**
 * OpenAI's older completions: a prompt, or several, and texts. Source: the type `Completion` of the npm package `openai` 6.49
 * (read 2026-11-27). Prompts of token numbers say nothing that could be read.
 */
export const completionsContent: ContentReader = {
  readRequest: ({ prompt }) => {
    const prompts = (Array.isArray(prompt) ? prompt : [prompt]).flatMap((one) => makeText(one));
    return { input: orNull(prompts.map((part) => ({ role: 'user', parts: [part] }))), system: null, tools: null };
  },
  readReply: (body) => readChoices([body]),
  readStream: readChoices,
};

function readChoices(frames: readonly JsonObject[]): readonly Message[] {
  const choices = new ByIndex<{ readonly texts: string[]; reason: string | null }>();
  for (const frame of frames) {
    for (const { index, text, finish_reason: reason } of asObjects(frame.choices)) {
      const choice = choices.at(index, () => ({ texts: [], reason: null }));
      choice.texts.push(asText(text) ?? '');
      choice.reason = asText(reason) ?? choice.reason;
    }
  }
  return choices.inOrder.map(({ texts, reason }) => ({
    role: 'assistant',
    parts: makeText(texts.join('')),
    finish_reason: nameFinish(reason),
  }));
}
