import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { chatFrames, chatReply } from '../fixtures/replies.js';
import type { UpstreamHandler } from '../fixtures/upstream.js';

/** One for each place a secret can stand in; no two alike, none guessable from another. */
export const canaries = {
  bearer: 'sk-proj-c4naryBearer0000aaaa1111bbbb2222',
  bearerOpaque: 'opaque_c4naryBearer.77777/88888+99999==',
  xApiKey: 'sk-ant-api03-c4naryAnthropic-3333cccc4444',
  googApiKey: 'AIzaSyC4naryGoogleHeader5555dddd6666eeee',
  queryKey: 'AIzaSyC4naryGoogleQuery77777ffff8888gggg',
  cookie: 'c4naryCookie9999hhhh0000iiii',
  setCookie: 'c4narySetCookie1111jjjj2222kkkk',
  requestMember: 'c4naryRequestMember3333llll',
  requestText: 'sk-c4naryRequestText4444mmmm5555nnnn6666',
  replyMember: 'c4naryReplyMember7777oooo',
  replyText: 'ghp_c4naryReplyText8888pppp9999qqqq0000',
  frameText: 'sk-c4naryFrameText1111rrrr2222ssss3333',
  errorText: 'sk-c4naryErrorText4444tttt5555uuuu6666',
  environment: 'c4naryEnvironment7777vvvv8888',
  argument: 'c4naryArgument9999wwww0000',
  proxyPassword: 'c4naryProxyPassword1111xxxx',
  urlPassword: 'c4naryUrlPassword2222yyyy',
} as const;

/** Answers with planted secrets wherever a reply can have one; `mode=clean` with none. */
export const leak: UpstreamHandler = (request, response) => {
  request.resume().on('end', () => {
    response.setHeader('set-cookie', `session=${canaries.setCookie}; Path=/; HttpOnly`);
    const url = request.url ?? '';
    if (url.includes('clean')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    } else if (url.includes('fail')) {
      const message = `Incorrect API key provided: ${canaries.errorText}. Yours was ${canaries.bearerOpaque}.`;
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message, type: 'auth', code: canaries.errorText } }));
    } else if (url.includes('stream')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // Split over frames as models write it, a few characters each.
      const pieces = canaries.frameText.match(/.{1,5}/g) ?? [];
      const frames = pieces.map((piece) => chatFrames[1]?.replace('Hel', piece));
      response.end([...chatFrames.slice(0, 1), ...frames, ...chatFrames.slice(3)].join(''));
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      const content = `Your key ${canaries.replyText}, and ${canaries.environment}; you sent ${request.headers.authorization}`;
      const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
      response.end(JSON.stringify({ id: 'c', model: 'm', api_key: canaries.replyMember, choices }));
    }
  });
};

/** Every file and folder below a folder, itself included. */
export function listAll(root: string): string[] {
  return [root, ...readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name))];
}

/** The secrets that stand in a text of any encoding, plain, as base64 or in UTF-16. */
export function findCanaries(bytes: Buffer): string[] {
  return Object.entries(canaries).flatMap(([name, secret]) => {
    const inBase64 = Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1);
    const forms = [Buffer.from(secret), Buffer.from(inBase64), Buffer.from(secret, 'utf16le')];
    return forms.some((form) => bytes.includes(form)) ? [name] : [];
  });
}

export function findCanariesIn(home: string): string[] {
  const files = listAll(home).filter((path) => statSync(path).isFile());
  return files.flatMap((path) => findCanaries(readFileSync(path)).map((name) => `${name} in ${path}`));
}
