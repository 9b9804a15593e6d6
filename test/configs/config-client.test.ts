import { describe, expect, it } from 'vitest';
import { ConfigClient } from '../../src/configs/config-client.js';
import type { ConfigDefault } from '../../src/configs/config-flag.js';
import { openConfigLab, user } from '../fixtures/config-lab.js';
import { openRecorder } from '../fixtures/run-recorder.js';

const on = { enabled: true };
const ask = async (flag: unknown, fallback?: ConfigDefault, more: Parameters<typeof openConfigLab>[1] = {}) => {
  const lab = openConfigLab(flag === undefined ? {} : { k: flag }, more);
  return { ...lab, config: await lab.client.completionConfig('k', user, fallback) };
};

describe('a config that cannot be had', () => {
  const fallback = { model: { name: 'spare' }, messages: [{ role: 'user' as const, content: 'Hi {{ldctx.key}}' }] };
  const spare = { enabled: true, model: { name: 'spare' }, messages: [{ role: 'user', content: 'Hi user-1' }] };

  it('is the default, rendered as a flag would be; one that does not mention enabled is', async () => {
    const { config, fallbacks, lines } = await ask(undefined, fallback);
    expect(config).toMatchObject(spare);
    expect(fallbacks).toEqual([{ _ldMeta: { variationKey: '', enabled: true, mode: 'completion' }, ...fallback }]);
    expect(config.createTracker().getTrackData()).toMatchObject({ version: 1, modelName: 'spare' });
    expect(lines).toEqual([]);
  });

  it.each([null, 5, 'text', [{}], true])(
    'is the default where its value is %j, with an error in the log',
    async (flag) => {
      const { config, lines } = await ask(flag, fallback);
      expect(config).toMatchObject(spare);
      expect(lines.map(({ level }) => level)).toEqual(['error']);
    },
  );

  it('is the default where its source fails, whether it throws or rejects', async () => {
    for (const variation of [() => Promise.reject(new Error('no line')), () => JSON.parse('no json') as unknown]) {
      const { config, lines } = await ask({}, fallback, { flags: { variation } });
      expect(config).toMatchObject(spare);
      expect(lines).toEqual([
        { level: 'error', message: expect.stringMatching(/"k" could not be read, its default/) as string },
      ]);
    }
  });

  it('is disabled without a default, and can be tracked all the same', async () => {
    const { config, events } = await ask(undefined);
    expect(config).toMatchObject({ key: 'k', enabled: false });
    config.createTracker().trackSuccess();
    expect(events.map(({ event }) => event)).toEqual(['$ld:ai:usage:completion-config', '$ld:ai:generation:success']);
  });
});

describe('a config of another mode', () => {
  const agent = { _ldMeta: { ...on, mode: 'agent', variationKey: 'v', version: 7 }, instructions: 'Do.' };

  it('is the default, as if there were no flag', async () => {
    const { config, warnings } = await ask(agent, { model: { name: 'spare' } });
    expect(config).toMatchObject({ enabled: true, model: { name: 'spare' } });
    expect(config.createTracker().getTrackData()).toMatchObject({ version: 1, modelName: 'spare' });
    expect(config.createTracker().getTrackData()).not.toHaveProperty('variationKey');
    expect(warnings()).toHaveLength(1);
  });

  it('is disabled without a word where the flag is off: what is off states no mode', async () => {
    const { client, lines } = openConfigLab({ k: { _ldMeta: { enabled: false, variationKey: 'off' } } });
    const config = await client.agentConfig('k', user, { instructions: 'spare' });
    expect(config).toMatchObject({ enabled: false, instructions: undefined });
    expect(config.createTracker().getTrackData()).toMatchObject({ variationKey: 'off' });
    expect(lines).toEqual([]);
  });
});

describe('what a flag says', () => {
  it.each([
    [undefined, 1],
    [null, 1],
    ['2', 1],
    [0, 0],
    [-3, -3],
    [2.5, 2.5],
  ])('of version %j is %j', async (version, wanted) => {
    const { config } = await ask({ _ldMeta: { ...on, version } });
    expect(config.createTracker().getTrackData().version).toBe(wanted);
  });

  it('reaches the trackers: variation, model, provider, their keys and versions', async () => {
    const meta = { ...on, variationKey: 'v', version: 3, modelKey: 'mk', modelVersion: 2 };
    const { config } = await ask({ _ldMeta: meta, model: { name: 'm' }, provider: { name: 'p' } });
    expect(config.createTracker().getTrackData()).toEqual({
      ...{ runId: '00000000-0000-4000-8000-000000000001', configKey: 'k', variationKey: 'v', version: 3 },
      ...{ modelName: 'm', providerName: 'p', modelVersion: 2, modelKey: 'mk' },
    });
  });

  it('is left out where it is malformed, and the rest is used', async () => {
    const { config, lines } = await ask({
      _ldMeta: { ...on, variationKey: 5, mode: null, modelKey: {}, modelVersion: 'two' },
      model: { name: 5, parameters: 'none', region: 'eu' },
      provider: 'openai',
      messages: [{ role: 'user', content: 'a' }, { role: 'tool', content: 'b' }, { role: 'user' }, null, 'c'],
      tools: { one: { type: 'function' }, two: 'no object' },
      judgeConfiguration: { judges: [{ key: 'j', samplingRate: 'often' }, { samplingRate: 1 }, null] },
    });
    expect(config).toMatchObject({
      enabled: true,
      model: { region: 'eu' },
      provider: undefined,
      messages: [{ role: 'user', content: 'a' }],
      tools: { one: { type: 'function' } },
      judgeConfiguration: { judges: [{ key: 'j' }] },
    });
    expect(config.model).not.toHaveProperty('name');
    expect(Object.keys(config.tools ?? {})).toEqual(['one']);
    expect(lines).toEqual([{ level: 'debug', message: expect.stringMatching(/"k" has 4 messages without/) as string }]);
  });

  it('of tools at its root beats what its model lists', async () => {
    const tools = { ['__proto__']: { type: 'function' }, b: { type: 'function' } };
    const flag = JSON.parse(
      JSON.stringify({ _ldMeta: on, model: { name: 'm', parameters: { tools: [{ name: 'a' }] } } }),
    ) as object;
    expect(Object.keys((await ask(flag)).config.tools ?? {})).toEqual(['a']);
    const both = { ...flag, tools: JSON.parse(JSON.stringify(tools)) as object };
    expect(Object.keys((await ask(both)).config.tools ?? {})).toEqual(['__proto__', 'b']);
    expect((await ask(both)).config.tools).not.toHaveProperty('a');
  });

  it('of a metric key is trimmed; where it is blank the first of the older list counts', async () => {
    const judge = async (flag: object) => {
      const { client } = openConfigLab({ j: { _ldMeta: { ...on, mode: 'judge' }, ...flag } });
      return (await client.judgeConfig('j', user)).evaluationMetricKey;
    };
    expect(await judge({ evaluationMetricKey: ' a ', evaluationMetricKeys: ['b'] })).toBe('a');
    expect(await judge({ evaluationMetricKey: '  ', evaluationMetricKeys: ['', 5, ' b ', 'c'] })).toBe('b');
    expect(await judge({ evaluationMetricKeys: 'b' })).toBeUndefined();
  });

  it('cannot be changed by whoever has the config, nor by whoever gave it', async () => {
    const flag = {
      _ldMeta: on,
      model: { name: 'm', parameters: { temperature: 1 } },
      messages: [{ role: 'user', content: 'a' }],
    };
    const { config } = await ask(flag);
    Object.assign(flag.model.parameters, { temperature: 2 });
    expect(config.model?.parameters).toEqual({ temperature: 1 });
    for (const part of [config, config.model, config.model?.parameters, config.messages, config.messages?.[0]]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('is of the context as it was when it was asked for', async () => {
    const context = { kind: 'user', key: 'a' };
    const { client, events } = openConfigLab({ k: { _ldMeta: on } });
    const config = await client.completionConfig('k', context);
    context.key = 'b';
    config.createTracker().trackSuccess();
    expect(events.at(-1)?.context).toEqual({ kind: 'user', key: 'a' });
  });
});

describe('texts', () => {
  const render = async (content: string, variables?: Record<string, unknown>, context: object = user) => {
    const lab = openConfigLab({ k: { _ldMeta: on, messages: [{ role: 'user', content }] } });
    const config = await lab.client.completionConfig('k', context, null, variables);
    return { text: config.messages?.[0]?.content, ...lab };
  };

  it.each([
    ['{{a}} {{{a}}} {{&a}}', { a: '<"&>' }, '<"&> <"&> <"&>'],
    ['{{#list}}{{.}};{{/list}}{{^none}}none{{/none}}', { list: [1, 2] }, '1;2;none'],
    ['{{a.b.c}} {{a.x.c}}.', { a: { b: { c: 'deep' } } }, 'deep .'],
    ['{{a}} {{b}} {{c}}', { a: 0, b: false, c: null }, '0 false '],
    ['{{list}} {{object}}', { list: ['x', ['y', 'z']], object: {} }, 'x,y,z [object Object]'],
    ['{{! a comment }}{{> partial}}{{=<% %>=}}<% a %>', { a: 1 }, '1'],
    ['{{ldctx.key}} {{ldctx.kind}}', { ldctx: { key: 'spoof' } }, 'user-1 user'],
    ['no tag } {', undefined, 'no tag } {'],
  ])('%s', async (template, variables, wanted) => {
    expect((await render(template, variables)).text).toBe(wanted);
  });

  it('render a name that every object has empty, as any that is unknown', async () => {
    const names = [
      'constructor',
      'toString',
      '__proto__',
      'hasOwnProperty',
      'a.constructor',
      'list.map',
      'ldctx.valueOf',
    ];
    for (const name of names) {
      expect((await render(`<{{${name}}}>`, { a: {}, list: [] })).text, name).toBe('<>');
      expect((await render(`<{{#${name}}}x{{/${name}}}>`, { a: {}, list: [] })).text, name).toBe('<>');
    }
  });

  it('that are no template stay as they are, each with a warning that does not quote them', async () => {
    const { text, warnings } = await render('secret {{#open}} and {{name}}', { name: 'x' });
    expect(text).toBe('secret {{#open}} and {{name}}');
    expect(warnings()).toEqual([expect.stringMatching(/^A text of the config "k" is no template and stays as it is/)]);
    expect(warnings()[0]).not.toContain('secret');
  });

  it('are rendered with what the caller gave, which stays as it was', async () => {
    const variables = { a: { list: [1] }, f: () => 'called' };
    expect((await render('{{a.list}} {{f}}', variables)).text).toBe('1 called');
    expect(Object.getPrototypeOf(variables.a)).toBe(Object.prototype);
    expect(variables.a.list.map(String)).toEqual(['1']);
  });

  it('of instructions and of defaults are rendered, those of templates not', async () => {
    const { client } = openConfigLab({ a: { _ldMeta: { ...on, mode: 'agent' }, instructions: 'I {{do}}' } });
    expect((await client.agentConfig('a', user, null, { do: 'act' })).instructions).toBe('I act');
    expect((await client.agentConfigTemplate('a', user)).instructions).toBe('I {{do}}');
    expect((await client.agentConfig('none', user, { instructions: '{{do}}!' }, { do: 'go' })).instructions).toBe(
      'go!',
    );
  });

  it('of a judge lose what asks for the judged, but for its system message, and not as templates', async () => {
    const messages = [
      { role: 'system', content: '{{ response_to_evaluate }}' },
      { role: 'user', content: 'See {{message_history}}' },
      { role: 'user', content: 'Be {{mood}}' },
    ];
    const { client, warnings } = openConfigLab({ j: { _ldMeta: { ...on, mode: 'judge' }, messages } });
    const variables = { mood: 'fair', message_history: 'mine', response_to_evaluate: 'mine' };
    expect((await client.judgeConfig('j', user, null, variables)).messages).toEqual([
      { role: 'system', content: '{{response_to_evaluate}}' },
      { role: 'user', content: 'Be fair' },
    ]);
    expect(warnings()).toHaveLength(2);
    expect((await client.judgeConfigTemplate('j', user)).messages).toEqual(messages);
  });
});

describe('several agents at once', () => {
  it('are each as if they had been asked for alone, by key, of whatever name', async () => {
    const { client } = openConfigLab({ a: { _ldMeta: { ...on, mode: 'agent' }, instructions: '{{x}}' } });
    const agents = await client.agentConfigs(
      [
        { key: 'a', variables: { x: 'one' } },
        { key: '__proto__', defaultValue: { instructions: 'spare' } },
      ],
      user,
    );
    expect(Object.keys(agents)).toEqual(['a', '__proto__']);
    expect(Object.values(agents).map(({ instructions }) => instructions)).toEqual(['one', 'spare']);
  });
});

describe('a client', () => {
  const flags = { variation: (_key: string, _context: object, fallback: unknown) => fallback };

  it.each([
    ['no flags', {}],
    ['flags that are none', { flags: {} }],
    ['a sink that is none', { flags, sink: {} }],
    ['a runner maker that is none', { flags, makeRunner: 'openai' }],
    ['an option there is not', { flags, runner: () => null }],
  ])('is not made of %s', (_, options) => {
    expect(() => new ConfigClient(options as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it.each([
    ['no key', [' ', user]],
    ['no context', ['k', null]],
    ['a default that is none', ['k', user, 'gpt-4o']],
    ['variables that are none', ['k', user, null, ['x']]],
  ])('refuses %s before it says anything', async (_, given) => {
    const { client, events } = openConfigLab({});
    const asked = client.completionConfig(...(given as [string, object]));
    await expect(asked).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(events).toEqual([]);
  });

  it('refuses agents that are no list, or one of them that has no key', async () => {
    const { client, events } = openConfigLab({});
    for (const requests of ['a', [{ key: 'a' }, { key: '' }]]) {
      await expect(client.agentConfigs(requests as never, user)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
    await expect(client.agentGraph(' ', user)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(events).toEqual([]);
  });

  it('sends its events to its flags where these take them, and is not harmed by what they throw', async () => {
    const { events, sink, logger, lines } = openRecorder();
    const both = new ConfigClient({ flags: { ...flags, ...sink } as never });
    await both.completionConfig('k', user);
    expect(events.map(({ event }) => event)).toEqual(['$ld:ai:sdk:info', '$ld:ai:usage:completion-config']);
    const track = () => Promise.reject(new Error('full'));
    await new ConfigClient({ flags, sink: { track }, logger }).completionConfig('k', user);
    await new Promise(setImmediate);
    expect(lines.map(({ message }) => message)).toEqual([
      'The sink failed at $ld:ai:sdk:info: full',
      'The sink failed at $ld:ai:usage:completion-config: full',
    ]);
  });

  it('goes on with the run of a token, of a config and of a graph', async () => {
    const { client, events } = openConfigLab({ k: { _ldMeta: { ...on, version: 4 } } });
    const tracker = (await client.completionConfig('k', user)).createTracker();
    const other = { kind: 'user', key: 'later' };
    client.createTracker(tracker.resumptionToken, other).trackFeedback({ kind: 'positive' });
    const graph = (await client.agentGraph('g', user)).createTracker();
    client.createGraphTracker(graph.resumptionToken, other).trackRedirect('a', 'b');
    const [, feedback, , redirect] = events;
    expect(feedback).toMatchObject({ context: other, data: { runId: tracker.getTrackData().runId, version: 4 } });
    expect(redirect).toMatchObject({ context: other, data: { runId: graph.getTrackData().runId, graphKey: 'g' } });
    expect(() => client.createTracker('no token', user)).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }));
  });
});
