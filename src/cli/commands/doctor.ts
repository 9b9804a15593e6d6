import { Command } from '@commander-js/extra-typings';
import { makePalette } from '../colour.js';
import { type CommandContext, printJsonLines } from '../context.js';
import { makeWholeNumberReader, readList } from '../read-flags.js';

const examples = `
Examples:
  llmtap doctor
  llmtap doctor --only node,python
  llmtap doctor --json | jq '.runtimes[] | select(.verdict == "direct")'

Each runtime on the PATH makes one call, under a session as llmtap run opens it, to a provider that is part of llmtap and
listens on loopback under a name no resolver knows. Nothing is kept. Agents are found, not started with a prompt. The exit
status is 1 when there is a problem; a program that goes past the tap is a warning.`;

/** In milliseconds; beyond an hour no timer is asked for. */
const readSeconds = (value: string) => Math.min(makeWholeNumberReader('--timeout', 1)(value), 3600) * 1000;

/** `llmtap doctor`: what will be seen on this machine, and what to do about the rest. */
export function makeDoctorCommand(context: CommandContext) {
  return new Command('doctor')
    .description('try which programs of this machine are seen, and say what to do about the others')
    .option('--only <names>', 'try these alone, such as node,python,curl', readList)
    .option('--timeout <seconds>', 'how long each may take (15; more where it is compiled first)', readSeconds)
    .option('--json', 'print the whole report as one line of JSON')
    .addHelpText('after', examples)
    .action(async ({ only, timeout, json }) => {
      const { io } = context;
      const { choosePrograms, runDoctor } = await import('../doctor/run-doctor.js');
      const end = await runDoctor({ choice: choosePrograms(only), deadlineMs: timeout }, io);
      if (end.report === null) {
        context.exitStatus = end.status;
        return;
      }
      context.exitStatus = end.report.level === 'problem' ? 1 : 0;
      if (json) return printJsonLines([end.report], io);
      const { formatDoctor } = await import('../format/doctor.js');
      io.stdout.write(formatDoctor(end.report, makePalette(io.stdout, io.env), io.stdout.columns()));
    });
}
